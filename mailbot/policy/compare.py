"""Two policies side by side: what the newer one changes, in sentences, and what it would have decided otherwise."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mailbot.model.forms import decision_form, parse_facts
from mailbot.model.money import Money
from mailbot.policy.decide import decide
from mailbot.policy.page import guard_lines, promises, settlement_lines
from mailbot.policy.plain import answer_of, phrases, word
from mailbot.policy.rules import Row
from mailbot.policy.table import Policy
from mailbot.policy.versions import applies_to


def differences(older: Policy, newer: Policy) -> Iterator[str]:
    """What the newer policy changes, one plain sentence each; none where both decide alike by the same words."""
    yield from _sentences(promises(older), promises(newer))
    yield from _row_differences(older, newer)
    yield from _table_differences("guard", guard_lines(older), guard_lines(newer))
    yield from _table_differences("paying back: to", settlement_lines(older), settlement_lines(newer))
    for clause in sorted({*older.clauses, *newer.clauses}):
        before, after = older.clauses.get(clause), newer.clauses.get(clause)
        if before != after:
            yield _changed(f"Clause {clause}", before, after)
    if len(older.examples) != len(newer.examples):
        yield f"It has {len(newer.examples)} examples of its own, no longer {len(older.examples)}."


def _sentences(before: list[str], after: list[str]) -> Iterator[str]:
    yield from (f"No longer: {sentence}" for sentence in before if sentence not in after)
    yield from (f"Now: {sentence}" for sentence in after if sentence not in before)


def _row_differences(older: Policy, newer: Policy) -> Iterator[str]:
    names_before, names_after = [row.rule for row in older.rows], [row.rule for row in newer.rows]
    for name in names_before:
        if name not in names_after:
            yield f"The row {name!r} is gone."
    for row in newer.rows:
        before = older.row(row.rule)
        if before is None:
            says = f"when {phrases(row.tests, newer.terms)}: {answer_of(row)}"
            yield f"The row {row.rule!r} is new, as number {names_after.index(row.rule) + 1}: {says}."
            continue
        for what, was, now in zip(_ROW_PARTS, _said(before), _said(row), strict=True):
            if was != now:
                yield f"The row {row.rule!r} changes its {what}: {was} becomes {now}."
    kept_before = [name for name in names_before if name in names_after]
    kept_after = [name for name in names_after if name in names_before]
    if kept_before != kept_after:
        moved = [name for name, other in zip(kept_after, kept_before, strict=True) if name != other]
        yield f"Rows are asked in another order: {', '.join(moved)}."


_ROW_PARTS = ("conditions", "answer", "clauses", "replies", "guarded")


def _said(row: Row) -> tuple[str, ...]:
    asks = " and ".join(f"{test.condition} = {_listed(test.wanted)}" for test in row.tests) or "always"
    return (
        asks,
        answer_of(row),
        ", ".join(row.clauses),
        f"{row.reply}/{row.proposal_reply}",
        str(row.guarded).lower(),
    )


def _listed(wanted: Iterable[Any]) -> str:
    return " or ".join(map(word, wanted))


def _table_differences(what: str, before: Iterable[tuple[str, ...]], after: Iterable[tuple[str, ...]]) -> Iterator[str]:
    was, now = list(before), list(after)
    for line in was:
        if line not in now:
            yield f"No longer, {what} {': '.join(line)}."
    for line in now:
        if line not in was:
            yield f"Now, {what} {': '.join(line)}."


def _changed(what: str, before: str | None, after: str | None) -> str:
    if before is None:
        return f"{what} is new: {after}"
    return f"{what} is gone; it said: {before}" if after is None else f"{what} says {after!r}, no longer {before!r}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a decision comes to, in the words that a change of it is told in; ``refund`` is settled or proposed."""

    outcome: str
    rule: str
    proposal: str | None
    refund: Money | None

    def __str__(self) -> str:
        """The decision on one line."""
        return f"{self.outcome} ({self.rule}{f', {self.proposal}' if self.proposal else ''})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One case that another policy would have decided otherwise."""

    case: str
    before: Verdict
    after: Verdict

    @property
    def difference(self) -> Money | None:
        """How much more is paid back; ``None`` where no money is settled or proposed either way."""
        before, after = self.before.refund, self.after.refund
        if before is None or after is None:
            return after if before is None else -before
        return after - before


def find_change(case: str, facts_form: Mapping[str, Any], decided: Mapping[str, Any], policy: Policy) -> Change | None:
    """What a policy would have decided otherwise about stored facts.

    Args:
        case: its number.
        facts_form: what was decided about, in JSON form.
        decided: what was decided, in JSON form.
        policy: the one to try; orders that were paid before it applies keep what was decided.

    Returns:
        ``None`` where outcome, rule, proposal and sum stay the same.
    """
    facts = parse_facts(dict(facts_form))
    if not applies_to(facts.order, policy):
        return None
    before, after = _verdict(decided), _verdict(decision_form(decide(facts, policy).decision))
    return None if before == after else Change(case=case, before=before, after=after)


def _verdict(form: Mapping[str, Any]) -> Verdict:
    proposal = form["proposal"]
    settled = form["settlement"] or (proposal and proposal["settlement"])
    return Verdict(
        outcome=form["outcome"],
        rule=form["rule"],
        proposal=proposal and f"proposes {proposal['outcome']} by {proposal['rule']}",
        refund=Money.parse(settled["refund"], settled["currency"]) if settled else None,
    )
