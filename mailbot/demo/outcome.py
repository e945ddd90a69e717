"""What became of the sample mails: read out of the store, and put into a table and totals for people."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from mailbot.demo.samples import Sample
from mailbot.model.decision import Outcome
from mailbot.model.mail import MailKind
from mailbot.model.money import Money
from mailbot.store import case_views, cases, mails
from mailbot.store.case_views import LetterOfCase
from mailbot.store.tables import CaseRow

_HEADS = ("mail", "shows", "kind", "order", "decision", "sent")
_PEOPLE = "people"
_COPY = "copy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Became:
    """What became of one sample mail.

    Attributes:
        kind: as ``explain`` names it; ``None`` for a copy, which is not looked at again.
        order_number: of its case.
        decision: outcome and rule, or why people have it, or the state in which it was filed.
        letters: of its case.
    """

    sample: Sample
    kind: str | None
    order_number: str | None
    decision: str
    letters: tuple[LetterOfCase, ...]


def read_outcomes(session: Session, samples: Sequence[Sample]) -> list[Became]:
    """What became of each sample, in their order.

    Args:
        session: of a database that has taken in these samples and nothing before them.
        samples: each is the first mail of a case, a machine's mail, or a copy.
    """
    return [_became(session, sample, mail_id) for mail_id, sample in enumerate(samples, 1)]


def as_table(outcomes: Sequence[Became]) -> str:
    """One row a mail: framed on a terminal, plain columns elsewhere."""
    rows = [_cells(became) for became in outcomes]
    console = Console()
    if not console.is_terminal:
        widths = [max(map(len, column)) for column in zip(_HEADS, *rows, strict=True)]
        return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in (_HEADS, *rows))
    table = Table(*_HEADS, show_lines=True)
    for row in rows:
        table.add_row(*row)
    with console.capture() as drawn:
        console.print(table)
    return drawn.get()


def totals(outcomes: Sequence[Became], due: Sequence[Money]) -> str:
    """How many of which kind came, what was answered, and what is to be paid back."""
    kinds = Counter(became.kind or _COPY for became in outcomes)
    sent = sum(len(became.letters) for became in outcomes)
    waiting = sum(became.decision.startswith((Outcome.ESCALATE, _PEOPLE)) for became in outcomes)
    money = ", ".join(f"{amount} {amount.currency}" for amount in due) or "none"
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return (
        f"{len(outcomes)} mails: {counts}\n"
        f"messages sent: {sent}; mails that wait for a person: {waiting}; refunds due now: {money}"
    )


def _became(session: Session, sample: Sample, mail_id: int) -> Became:
    mail = mails.get(session, mail_id)
    if mail.kind != MailKind.CUSTOMER or mail.case_id is None:
        state = f"{_PEOPLE} / {mail.problem}" if mail.problem else mail.state
        return Became(sample=sample, kind=mail.kind, order_number=None, decision=state, letters=())
    case = cases.get(session, cases.number_of(mail.case_id))
    return Became(
        sample=sample,
        kind=mail.kind,
        order_number=case.order_number,
        decision=_decision(session, case),
        letters=tuple(case_views.letters_of(session, case.id)),
    )


def _decision(session: Session, case: CaseRow) -> str:
    decided = cases.latest_decision(session, case.id)
    if decided is None:
        return f"{_PEOPLE} / {case.escalation}"
    return f"{decided.decision['outcome']} / {decided.decision['rule']}"


def _cells(became: Became) -> tuple[str, ...]:
    sent = [f"{letter.template} -> {letter.recipient}" for letter in became.letters]
    return (
        became.sample.name.removesuffix(".eml"),
        became.sample.what,
        became.kind or _COPY,
        became.order_number or "",
        became.decision,
        ", ".join(sent) or "nothing",
    )
