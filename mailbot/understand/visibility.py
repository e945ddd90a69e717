"""Whether a reader can see a piece of an HTML mail: the little of CSS that hides text."""

import re
from collections.abc import Mapping
from typing import NamedTuple

_Color = tuple[int, int, int] | str


class Look(NamedTuple):
    """How text directly inside one element is shown.

    A named tuple, because one mail makes hundreds of them.

    Attributes:
        gone: taken out of sight with all that it holds; nothing inside can undo it.
        tiny, veiled: font size of nearly zero, ``visibility: hidden``; an inner element may undo either.
        kept: line breaks and spaces count, as in ``<pre>``.
        color: of the text, where the mail sets one; ``None`` is the reader's own.
        background: behind the text; ``None`` where it is a picture or cannot be told.
        unseen: what follows from the rest.
    """

    gone: bool = False
    tiny: bool = False
    veiled: bool = False
    kept: bool = False
    color: _Color | None = None
    background: _Color | None = (255, 255, 255)
    unseen: bool = False


class Styles:
    """The style sheets of one mail: top-level rules for a tag, a class or an id; media queries never apply."""

    def __init__(self) -> None:
        """Begin without any rule."""
        self._rules: dict[str, dict[str, str]] = {}
        self._looks: dict[tuple[Look, str, frozenset[tuple[str, str]]], Look] = {}
        self._unsure_background = False

    def add(self, css: str) -> None:
        """Take the rules of one ``<style>`` element, in linear time."""
        for selectors, declarations in _top_level_rules(css):
            declared = _parse(declarations)
            for selector in selectors.split(",") if declared else ():
                if match := _SIMPLE_SELECTOR.fullmatch(selector.strip()):
                    self._rules.setdefault(match[1].lower(), {}).update(declared)
                elif "background" in declarations:
                    self._unsure_background = True
        self._looks.clear()

    def look(self, parent: Look, tag: str, attributes: Mapping[str, str]) -> Look:
        """How an element shows its text, given the element around it."""
        if not attributes and not self._rules and tag != "a":
            return parent
        key = parent, tag, frozenset(attributes.items())
        look = self._looks.get(key)
        if look is None:
            look = self._looks[key] = self._derive(parent, tag, attributes)
        return look

    def _derive(self, parent: Look, tag: str, attributes: Mapping[str, str]) -> Look:
        css = self._declared(tag, attributes)
        color = parent.color if tag != "a" else None
        color = _color(css.get("color") or attributes.get("text" if tag == "body" else "color", "")) or color
        background = self._background(parent.background, css, attributes)
        gone = parent.gone or "hidden" in attributes or _takes_away(css)
        size, visibility, space = _size(css), css.get("visibility"), css.get("white-space")
        tiny = parent.tiny if size is None else size
        veiled = visibility in {"hidden", "collapse"} if visibility else parent.veiled
        return Look(
            gone=gone,
            tiny=tiny,
            veiled=veiled,
            kept=space.startswith("pre") if space else parent.kept,
            color=color,
            background=background,
            unseen=gone or tiny or veiled or _fades_into(color, background),
        )

    def _declared(self, tag: str, attributes: Mapping[str, str]) -> dict[str, str]:
        css: dict[str, str] = {}
        if self._rules:
            classes = (f".{name}" for name in attributes.get("class", "").lower().split())
            for name in (tag, *classes, f"#{attributes.get('id', '').lower()}"):
                css.update(self._rules.get(name, {}))
        css.update(_parse(attributes.get("style", "")))
        return css

    def _background(self, behind: _Color | None, css: dict[str, str], attributes: Mapping[str, str]) -> _Color | None:
        if self._unsure_background and ("class" in attributes or "id" in attributes):
            behind = None
        if "background" in attributes:
            return None
        for value in (css.get("background-image"), css.get("background"), css.get("background-color")):
            if value and ("url(" in value or "gradient" in value):
                return None
            if value and (color := _color(value)) and color != "transparent":
                return color
        return _color(attributes.get("bgcolor", "")) or behind


_TELLING = {
    *("display", "visibility", "opacity", "font", "font-size", "color", "white-space", "overflow", "transform"),
    *("background", "background-color", "background-image", "clip", "clip-path", "text-indent", "margin-left"),
    *("position", "left", "top", "right", "bottom", "height", "max-height", "width", "max-width"),
}
_SIMPLE_SELECTOR = re.compile(r"(?:[A-Za-z][A-Za-z0-9]*(?=[.#]))?([.#]?[A-Za-z_][\w-]*)")
_BRACE = re.compile(r"[{}]")
_NUMBER = re.compile(r"(-?(?:\d{1,7}(?:\.\d{0,7})?|\.\d{1,7}))\s*([a-z%]{0,4})")
_FONT_SIZE = re.compile(r"(?:^|\s)((?:\d{1,7}(?:\.\d{0,7})?|\.\d{1,7})[a-z%]{0,4})(?:\s*/|\s)")
_HEX = re.compile(r"#([0-9a-f]{6}|[0-9a-f]{3})\b")
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})(?:[\s,/]+([\d.]{1,8}))?")
_NAMED = {
    "black": (0, 0, 0),
    "gray": (128, 128, 128),
    "grey": (128, 128, 128),
    "ivory": (255, 255, 240),
    "silver": (192, 192, 192),
    "snow": (255, 250, 250),
    "white": (255, 255, 255),
    "whitesmoke": (245, 245, 245),
}
_FAR_OFF = -400
_LEAST_OPACITY = 0.05
_TOO_CLOSE = 10


def _top_level_rules(css: str) -> list[tuple[str, str]]:
    """Selectors and declarations of every rule outside of ``@media`` and its like."""
    first, *others = css.replace("<!--", " ").replace("-->", " ").split("/*")
    css = first + "".join(other.partition("*/")[2] for other in others)
    rules, depth, start, selectors = [], 0, 0, ""
    for brace in _BRACE.finditer(css):
        if brace[0] == "{":
            depth += 1
            if depth == 1:
                selectors, start = css[start : brace.start()].strip(), brace.end()
            continue
        if depth == 1 and not selectors.startswith("@"):
            rules.append((selectors, css[start : brace.start()]))
        depth = max(0, depth - 1)
        start = start if depth else brace.end()
    return rules


def _parse(style: str) -> dict[str, str]:
    css = {}
    for declaration in style.lower().split(";"):
        name, _, value = declaration.partition(":")
        if (name := name.strip()) in _TELLING:
            css[name] = value.partition("!")[0].strip()
    return css


def _takes_away(css: dict[str, str]) -> bool:
    if css.get("display") == "none" or _number(css.get("opacity"), 1) < _LEAST_OPACITY:
        return True
    if css.get("position") in {"absolute", "fixed"}:
        if any(_number(css.get(side), 0) <= _FAR_OFF for side in ("left", "top", "right", "bottom")):
            return True
        if css.get("clip", "").startswith("rect(0") or css.get("clip-path", "").startswith("inset(50%"):
            return True
    if any(_number(css.get(side), 0) <= _FAR_OFF for side in ("text-indent", "margin-left")):
        return True
    if css.get("transform", "").startswith("scale(0"):
        return True
    return css.get("overflow") == "hidden" and any(
        side in css and _next_to_nothing(css[side]) for side in ("height", "max-height", "width")
    )


def _size(css: dict[str, str]) -> bool | None:
    """Whether the font is too small to be seen; ``None`` where that depends on the element around."""
    value = css.get("font-size")
    if value is None and (match := _FONT_SIZE.search(css.get("font", ""))):
        value = match[1]
    if value is None or value in {"inherit", "unset"}:
        return None
    if _next_to_nothing(value):
        return True
    return None if value.endswith(("em", "%")) and not value.endswith("rem") else False


def _next_to_nothing(length: str) -> bool:
    match = _NUMBER.match(length)
    return match is not None and float(match[1]) <= (1 if match[2] in {"px", "pt"} else 0)


def _number(value: str | None, otherwise: float) -> float:
    match = _NUMBER.match(value or "")
    return float(match[1]) if match else otherwise


def _color(value: str) -> _Color | None:
    value = value.lower().strip()
    if not value or value in {"inherit", "initial", "none", "currentcolor"}:
        return None
    if match := _HEX.search(value):
        digits = match[1] if len(match[1]) > len("fff") else "".join(digit * 2 for digit in match[1])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if match := _RGB.search(value):
        if match[4] is not None and not match[4].strip("0."):
            return "transparent"
        return int(match[1]), int(match[2]), int(match[3])
    return next((_NAMED[word] for word in value.split() if word in _NAMED), value)


def _fades_into(color: _Color | None, background: _Color | None) -> bool:
    if color is None or background is None:
        return color == "transparent"
    if isinstance(color, str) or isinstance(background, str):
        return color in {background, "transparent"}
    return max(abs(one - other) for one, other in zip(color, background, strict=True)) <= _TOO_CLOSE
