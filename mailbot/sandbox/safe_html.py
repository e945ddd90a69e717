"""A mail's HTML made harmless for a frame that shows it. Runs in the limited child only: the sanitiser is quadratic."""

import re

import nh3

_TAGS = frozenset(
    [
        "a",
        "abbr",
        "b",
        "bdi",
        "bdo",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "ins",
        "kbd",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
    ]
)
_ATTRIBUTES = {"*": {"dir", "lang"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
_DROPPED = frozenset(
    {"script", "style", "svg", "math", "title", "template", "noscript", "iframe", "object", "textarea"}
)
_MOST_HTML = 256 * 1024
_MOST_TAGS = 10_000
_DEEPEST = 200
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_VOID = frozenset({"br", "hr", "img", "p", "li", "td", "tr", "th", "input", "meta", "link", "col"})


def sanitised(html: str) -> str:
    """A mail's HTML without script, style, form, link, image or anything from elsewhere.

    Beyond the limits of RELIABILITY.md it is not shown at all: the sanitiser is quadratic in depth.
    """
    clean = "<p>This HTML is too large or too deep to be shown; its text stands in the case.</p>"
    if len(html) <= _MOST_HTML and _is_shallow(html):
        clean = _cleaned(html)
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>The mail as HTML</title>{clean}</html>'


def _is_shallow(html: str) -> bool:
    """Whether it holds no more tags, and nests no deeper, than the limits."""
    tags = depth = deepest = 0
    for match in _TAG.finditer(html):
        if match[2].lower() in _VOID:
            continue
        tags += 1
        depth = max(0, depth - 1) if match[1] else depth + 1
        deepest = max(deepest, depth)
    return tags <= _MOST_TAGS and deepest <= _DEEPEST


def _cleaned(html: str) -> str:
    return nh3.clean(html, tags=set(_TAGS), attributes=_ATTRIBUTES, clean_content_tags=set(_DROPPED), link_rel=None)
