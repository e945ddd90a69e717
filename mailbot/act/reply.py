"""Template and letter -> subject, text and HTML: what a customer is told."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from mailbot.act.columns import padded, width_of, wrap
from mailbot.act.letter import Block, BlockKind, Letter, LetterError
from mailbot.act.markup import Paragraph, ParagraphKind, fill
from mailbot.act.phrases import clean, cut
from mailbot.act.templates import Templates, load_templates
from mailbot.act.values import Values

__all__ = ["Letter", "LetterError", "Reply", "Templates", "load_templates", "write_draft", "write_reply"]

_MOST_SUBJECT = 150
_COLUMNS = 74
_INDENT = "    "
_GAP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What goes out, before it is a message.

    Attributes:
        language: the one that it is written in, ISO 639-1.
        subject: one clean line of at most 150 characters.
        text: LF line ends; lines of at most 74 columns but for a web address or the like.
        html: a whole page of ASCII that loads nothing.
    """

    template: str
    language: str
    subject: str
    text: str
    html: str


def write_reply(templates: Templates, letter: Letter) -> Reply:
    """Write the letter in its language, else in English; the same letter gives the same bytes.

    Raises:
        TemplateError: no usable template has that name.
        LetterError: the template says something that the letter does not have.
    """
    language, template = templates.find(letter.language, letter.template)
    values = Values(letter, language.phrases)
    subject = cut(clean(fill(template.subject, values.inline) or ""), _MOST_SUBJECT)
    blocks = _without_bare_headings([block for paragraph in template.body for block in _blocks(paragraph, values)])
    html = templates.layout.render(
        language=language.code,
        direction=language.phrases.locale.text_direction,
        subject=subject,
        shop_name=values.inline("shop_name"),
        blocks=blocks,
    )
    return Reply(
        template=letter.template,
        language=language.code,
        subject=subject,
        text="\n\n".join("\n".join(_set(block)) for block in blocks).translate(_PLAIN_SPACES) + "\n",
        html=html.encode("ascii", "xmlcharrefreplace").decode("ascii"),
    )


def write_draft(templates: Templates, letter: Letter) -> str:
    """What the letter says between its greeting and its closing, for a person to go on from.

    It is in the markup of templates, and as a person's own words (``Letter.text``) it makes the same blocks, but for
    clauses and sums, which become sentences.

    Raises:
        TemplateError, LetterError: as ``write_reply``.
    """
    language, template = templates.find(letter.language, letter.template)
    values = Values(letter, language.phrases)
    own = [
        paragraph
        for paragraph in template.body
        if not _FRAME.intersection(name for text in paragraph.texts for name in text)
    ]
    blocks = _without_bare_headings([block for paragraph in own for block in _blocks(paragraph, values)])
    return "\n\n".join("\n".join(_marked(block)) for block in blocks)


_FRAME = frozenset({"greeting", "closing", "reference", "links"})


def _marked(block: Block) -> Iterator[str]:
    match block.kind:
        case BlockKind.HEADING:
            yield f"# {block.lines[0]}"
        case BlockKind.ITEMS:
            yield from (f"- {item}" for item in block.lines)
        case BlockKind.CLAUSES:
            yield "\n\n".join(f"“{clause}”" for clause in block.lines)
        case BlockKind.BILL:
            yield from (f"{label}: {written}" for label, written in block.rows)
        case _:
            yield from block.lines


def _blocks(paragraph: Paragraph, values: Values) -> tuple[Block, ...]:
    if paragraph.kind is ParagraphKind.BLOCK:
        return values.blocks(paragraph.texts[0][0])
    lines = tuple(line for text in paragraph.texts if (line := fill(text, values.inline)) is not None)
    return (Block(BlockKind(paragraph.kind.value), lines),) if lines else ()


def _without_bare_headings(blocks: list[Block]) -> list[Block]:
    """Drop headings with nothing left under them."""
    followed = pairwise((*blocks, Block(BlockKind.HEADING)))
    return [block for block, after in followed if not block.kind is after.kind is BlockKind.HEADING]


def _set(block: Block) -> Iterator[str]:
    """A block as lines of plain text."""
    match block.kind:
        case BlockKind.HEADING:
            yield block.lines[0]
            yield "-" * width_of(block.lines[0])
        case BlockKind.ITEMS:
            for item in block.lines:
                yield from wrap(item, _COLUMNS, "- ", "  ")
        case BlockKind.CLAUSES:
            yield "\n\n".join("\n".join(wrap(clause, _COLUMNS, _INDENT, _INDENT)) for clause in block.lines)
        case BlockKind.BILL:
            yield from _bill(block)
        case BlockKind.ADDRESS | BlockKind.CODE:
            yield from (_INDENT + line for line in block.lines)
        case BlockKind.LINKS:
            yield from (f"{label}: {url}" for label, url in block.rows)
        case _:
            for line in block.lines:
                yield from wrap(line, _COLUMNS)


def _bill(block: Block) -> Iterator[str]:
    labels = max(width_of(label) for label, _ in block.rows) + _GAP
    sums = max(width_of(written) for _, written in block.rows)
    *lines, total = [
        f"{_INDENT}{padded(label, labels)}{' ' * (sums - width_of(written))}{written}" for label, written in block.rows
    ]
    yield from lines
    yield _INDENT + "-" * (labels + sums)
    yield total


_PLAIN_SPACES = {0xA0: " "}
