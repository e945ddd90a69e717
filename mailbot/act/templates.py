"""The reply templates of every language, read once, and what is wrong with them."""

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import jinja2
from babel import Locale, UnknownLocaleError
from jinja2.meta import find_undeclared_variables
from markupsafe import Markup, escape

from mailbot.act.markup import MarkupError, Paragraph, ParagraphKind, Text, parse_body, scan
from mailbot.act.phrases import PHRASES, Phrases, clean
from mailbot.act.values import BLOCK_NAMES, INLINE_NAMES
from mailbot.errors import InputError

_Parsed = TypeVar("_Parsed")

FALLBACK = "en"
NAMES = frozenset(
    {
        *("cancellation_approved", "return_approved", "refund_approved", "information_needed", "received"),
        *("declined_already_refunded", "declined_customer_damage", "declined_guarantee_expired"),
        *("declined_not_yet_received", "declined_natural_variation", "declined_ring_opening"),
        *("declined_return_window_passed", "declined_used_or_altered", "declined_no_original_box"),
        *("return_reminder", "return_expired", "goods_on_the_way", "return_accepted", "return_partly_accepted"),
        *("refund_paid", "withdrawn", "status"),
        *("generic", "verification", "message"),
    }
)
"""The replies that every language has; a policy's rows may name further ones."""
ANSWER = "answer_"
"""Begins the names of further replies that people begin their own answers with."""

_OF_ANYONE = frozenset({"shop_name", "support_address", "closing", "links"})
_TO_UNPROVEN = {"generic": _OF_ANYONE, "verification": _OF_ANYONE | {"code", "proof_link"}}
_IN_LAYOUT = frozenset({"language", "direction", "subject", "shop_name", "blocks"})
_NUMBER = re.compile(r"(?<![\w-])[A-Z]{1,8}-\d[\dA-Z-]{0,20}(?![\w-])[.,;:!?)]*", re.ASCII)
_LAYOUT, _PHRASES, _SUBJECT, _BODY = "layout.html", "phrases.toml", ".subject.txt", ".txt"


class TemplateError(InputError):
    """There is no usable template of that name; ``mailbot templates check`` says why."""


@dataclass(frozen=True, slots=True)
class Template:
    """One reply's two files, taken apart."""

    subject: Text
    body: tuple[Paragraph, ...]


@dataclass(frozen=True, slots=True)
class Language:
    """One language's words and replies.

    Attributes:
        templates: the usable ones, by name.
        files: the names of which at least one file is there.
    """

    code: str
    phrases: Phrases
    templates: Mapping[str, Template]
    files: frozenset[str]


@dataclass(frozen=True, slots=True)
class Templates:
    """Every reply in every language, and the HTML shell around them.

    Attributes:
        languages: by ISO 639-1 code.
        faults: what could not be used, one line each.
    """

    layout: jinja2.Template
    languages: Mapping[str, Language]
    faults: tuple[str, ...]

    def language_for(self, name: str, *wanted: str | None) -> str:
        """The first of the wanted languages that has a usable reply of that name, else English."""
        spoken = (self.languages.get(code) for code in wanted if code is not None)
        return next((words.code for words in spoken if words is not None and name in words.templates), FALLBACK)

    def find(self, language: str, name: str) -> tuple[Language, Template]:
        """A reply in the language asked for, else in English.

        Raises:
            TemplateError: neither has it.
        """
        for code in (language, FALLBACK):
            words = self.languages.get(code)
            if words is not None and name in words.templates:
                return words, words.templates[name]
        raise TemplateError(f"no usable reply template {name!r} in {FALLBACK!r}; run mailbot templates check")

    def answers(self, language: str) -> list[str]:
        """Names of the replies that people may begin an answer with, in the language asked for, else in English."""
        words = self.languages.get(language) or self.languages.get(FALLBACK)
        return [] if words is None else sorted(name for name in words.templates if name.startswith(ANSWER))

    def check(self, replies: Collection[str] = ()) -> tuple[str, ...]:
        """Everything that a person should mend, one line each; empty is good.

        Args:
            replies: further names that are in use, such as those that the policy's rows name.
        """
        names = NAMES | frozenset(replies)
        return *self.faults, *self._absent(names), *self._unused(names), *self._unsaid()

    def _absent(self, names: frozenset[str]) -> Iterator[str]:
        if FALLBACK not in self.languages:
            yield f"{FALLBACK}/{_PHRASES}: is missing or unusable, and every language falls back on it"
        for code, language in sorted(self.languages.items()):
            yield from (f"{code}/{name}{_BODY}: is missing" for name in sorted(names - language.files))

    def _unused(self, names: frozenset[str]) -> Iterator[str]:
        for code, language in sorted(self.languages.items()):
            for name in sorted(name for name in language.files - names if not name.startswith(ANSWER)):
                mend = f"let a row of the policy name it, call it {ANSWER}..., or remove it"
                yield f"{code}/{name}{_BODY}: nothing names this reply; {mend}"

    def _unsaid(self) -> Iterator[str]:
        """What the English reply tells and another language's does not: a date or a sum that a translation lost."""
        english = self.languages.get(FALLBACK)
        for code, language in sorted(self.languages.items()):
            for name, template in language.templates.items():
                if english is not None and name in english.templates:
                    for value in sorted(_said(english.templates[name]) - _said(template)):
                        yield f"{code}/{name}{_BODY}: does not say {{{{{value}}}}}, which {FALLBACK}/{name}{_BODY} does"


def _said(template: Template) -> frozenset[str]:
    texts = (template.subject, *(text for paragraph in template.body for text in paragraph.texts))
    blocks = {p.texts[0][0] for p in template.body if p.kind is ParagraphKind.BLOCK}
    return frozenset(name for text in texts for name in text[1::2]) | blocks


def load_templates(folder: Path) -> Templates:
    """Read ``templates/reply``: a folder for each language, and the HTML shell.

    A faulty file is left out and named by ``check``; the language falls back to English there.

    Raises:
        TemplateError: the shell is not there, is no template, or names a value that does not exist.
    """
    layout = _layout(folder / _LAYOUT)
    reader = _Reader()
    read = (reader.language(place) for place in sorted(folder.iterdir()) if place.is_dir())
    languages = {language.code: language for language in read if language is not None}
    return Templates(layout, languages, tuple(reader.faults))


def _layout(path: Path) -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["unbroken"] = _unbroken
    try:
        source = path.read_text(encoding="utf-8")
        unknown = sorted(find_undeclared_variables(environment.parse(source)) - _IN_LAYOUT)
        if unknown:
            raise TemplateError(f"{path}: no value {unknown[0]!r}; here may stand: {', '.join(sorted(_IN_LAYOUT))}")
        return environment.from_string(source)
    except (OSError, UnicodeDecodeError, jinja2.TemplateError) as problem:
        raise TemplateError(f"{path}: {problem}") from None


def _unbroken(line: str) -> Markup:
    """A line whose order and case numbers do not break at their hyphens."""
    escaped = escape(line)
    if "-" not in line:
        return escaped
    return Markup(_NUMBER.sub(r'<span style="white-space: nowrap;">\g<0></span>', str(escaped)))  # noqa: S704 (escaped)


class _Reader:
    """Reads languages, and writes down what is wrong with them."""

    __slots__ = ("faults",)

    def __init__(self) -> None:
        self.faults: list[str] = []

    def language(self, folder: Path) -> Language | None:
        sources = dict(self._sources(folder))
        phrases = self._phrases(folder.name, sources.pop(_PHRASES, None))
        names = {file.removesuffix(_BODY).removesuffix(".subject") for file in sources}
        read = {name: self._template(folder.name, name, sources) for name in sorted(names)}
        templates = {name: template for name, template in read.items() if template is not None}
        return None if phrases is None else Language(folder.name, phrases, templates, frozenset(names))

    def _sources(self, folder: Path) -> Iterator[tuple[str, str]]:
        for path in sorted(folder.iterdir()):
            if path.name != _PHRASES and path.suffix != _BODY:
                self._fault(folder.name, path.name, f"is neither {_PHRASES} nor a template <name>{_BODY}")
                continue
            try:
                yield path.name, path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as problem:
                self._fault(folder.name, path.name, f"cannot be read: {problem}")

    def _template(self, code: str, name: str, sources: Mapping[str, str]) -> Template | None:
        allowed = _TO_UNPROVEN.get(name, INLINE_NAMES | BLOCK_NAMES)
        inline, blocks = INLINE_NAMES & allowed, BLOCK_NAMES & allowed
        subject = self._parsed(code, name + _SUBJECT, sources, lambda text: scan(" ".join(text.split()), inline))
        body = self._parsed(code, name + _BODY, sources, lambda text: parse_body(text, inline, blocks))
        return None if subject is None or body is None else Template(subject, body)

    def _parsed(
        self, code: str, file: str, sources: Mapping[str, str], parse: Callable[[str], _Parsed]
    ) -> _Parsed | None:
        if not sources.get(file, "").strip():
            self._fault(code, file, "is missing or empty; a reply has a subject and a body")
            return None
        if file.endswith(_SUBJECT) and len(sources[file].strip().splitlines()) > 1:
            self._fault(code, file, "has more than one line; a subject is one")
            return None
        try:
            return parse(sources[file])
        except MarkupError as problem:
            self._fault(code, file, str(problem))
            return None

    def _phrases(self, code: str, source: str | None) -> Phrases | None:
        if source is None:
            self._fault(code, _PHRASES, "is missing; every language has one")
            return None
        try:
            written = dict(_flat(tomllib.loads(source)))
            locale = Locale.parse(code)
        except (tomllib.TOMLDecodeError, UnknownLocaleError, ValueError) as problem:
            self._fault(code, _PHRASES, str(problem))
            return None
        before = len(self.faults)
        for key in sorted(PHRASES.keys() ^ written.keys()):
            self._fault(code, _PHRASES, f"{key} is missing" if key in PHRASES else f"{key} is no phrase; remove it")
        texts = {}
        for key in sorted(PHRASES.keys() & written.keys()):
            try:
                texts[key] = scan(written[key], PHRASES[key])
            except MarkupError as problem:
                self._fault(code, _PHRASES, f"{key}: {problem}")
        return Phrases(locale, texts) if len(self.faults) == before else None

    def _fault(self, code: str, file: str, problem: str) -> None:
        self.faults.append(f"{code}/{file}: {problem}")


def _flat(form: Mapping[str, object], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in form.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield above + key, clean(str(value))
