"""What the scoreboard wants, beside what is measured."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.mails import scoring
from tests.mails.scoring import Scored, Share

_INVOICE_FIELDS = ("invoice_number", "amount", "currency", "date")


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One goal; ``measured`` is ``None`` where the corpus is not here."""

    what: str
    wanted: str
    measured: str | None
    met: bool

    def row(self) -> str:
        """As a row of a table."""
        state = "not measured" if self.measured is None else "met" if self.met else "**not met**"
        return f"| {self.what} | {self.wanted} | {self.measured or '-'} | {state} |"


def goals(
    reserve: Sequence[Scored],
    both: Sequence[Scored],
    corpora: Mapping[str, Mapping[str, Share]],
    costs: Mapping[str, float],
) -> Iterator[Goal]:
    """Every goal.

    Args:
        reserve: the part that nobody tunes on.
        both: all own mails.
        corpora: as ``score_corpora.measure`` gives them; empty where they were left out.
        costs: median milliseconds.
    """
    fields = scoring.fields(reserve)
    precision, recall = fields["order_number"]
    yield _least("order number found (reserve)", recall, 0.995)
    yield _least("order number right (reserve)", precision, 0.995)
    for corpus in ("invoices-xml", "invoices-pdf"):
        for field in _INVOICE_FIELDS:
            yield _least(f"{field} on corpora/{corpus}", corpora.get(corpus, {}).get(field), 0.98)
    pictured = [mail for mail in both if mail.label.get("invoice", {}).get("pictured")]
    yield _least("invoices on pictures and scans (own mails)", scoring.fields(pictured)["invoice.amount"][1], 0.95)
    yield _least("reply text exact", corpora.get("replies", {}).get("plain texts exactly right"), 72 / 78)
    yield _least("reason (reserve)", fields["reason"][0], 0.95)
    worst = min(
        (scoring.fields([m for m in reserve if m.language == language])["reason"][0], language)
        for language in {mail.language for mail in reserve}
    )
    yield _least(f"reason in each language (reserve; worst: {worst[1]})", worst[0], 0.90)
    yield _least("sure reasons right (reserve)", scoring.surely_right(reserve), 0.97)
    for kind in ("precision", "recall"):
        found = corpora.get("intents", {}).get(f"all but banking77: refund or cancel, {kind}")
        yield _least(f"refund or cancel, {kind} (intents)", found, 0.95)
        apart = corpora.get("intents", {}).get(f"banking77: refund or cancel, {kind}")
        yield Goal(what=f"the same on banking77, {kind}", wanted="apart", measured=_told(apart), met=True)
    yield _least("decision: outcome, rule and sum (reserve)", scoring.decisions(reserve), 0.95)
    yield _most("needlessly to a person (reserve)", scoring.needless(reserve), 0.08)
    wrong = len(scoring.wrong_approvals(both))
    yield Goal(what="wrong approvals (all own mails)", wanted="0", measured=str(wrong), met=wrong == 0)
    for what, most in (("no attachment", 4.0), ("a text PDF", 25.0)):
        told = costs.get(what, 0.0)
        yield Goal(what=f"CPU, {what}", wanted=f"<= {most:.0f} ms", measured=f"{told:.1f} ms", met=told <= most)


def _least(what: str, share: Share | None, least: float) -> Goal:
    return Goal(
        what=what, wanted=f">= {least:.1%}", measured=_told(share), met=share is not None and share.value >= least
    )


def _most(what: str, share: Share, most: float) -> Goal:
    return Goal(what=what, wanted=f"<= {most:.0%}", measured=_told(share), met=share.value <= most)


def _told(share: Share | None) -> str | None:
    return None if share is None else " ".join(str(share).split())
