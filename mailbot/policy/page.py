"""The policy as a person reads it: what it promises in numbers, what it answers when, and what is paid back."""

from collections.abc import Iterator

from mailbot.model.case import ClockKind, ClockTerms
from mailbot.model.facts import Reason
from mailbot.policy.plain import answer_of, outcome_words, phrases
from mailbot.policy.settlement import FeeBearer, OutboundShipping, SettlementTerms
from mailbot.policy.table import Policy

Line = tuple[str, ...]
ROW_HEADINGS = ("#", "rule", "when", "then", "clauses")
GUARD_HEADINGS = ("guard", "when", "then")
SETTLEMENT_HEADINGS = ("to", "when", "outbound shipping", "payment fee", "return postage")


def promises(policy: Policy) -> list[str]:
    """The numbers of a policy, one sentence each."""
    terms, clocks = policy.terms, policy.clocks
    limits = ", ".join(f"{limit} {currency}" for currency, limit in terms.auto_approve_limits.items())
    since = [f"It holds for orders paid from {policy.applies_from} on."] if policy.applies_from else []
    return [
        *since,
        f"An order can be cancelled within {terms.cancel_days} days of payment.",
        f"A return can be asked for within {terms.return_days} days of receipt.",
        f"The quality guarantee runs for {terms.guarantee_months} months from receipt.",
        f"Reasons for a return: {_listed(terms.returnable)}; a parcel that went wrong: {_listed(terms.logistics)}.",
        f"Days are whole calendar days in {terms.timezone.key}, the last one included.",
        f"We mean to answer within {_span(clocks[ClockKind.REPLY])}.",
        f"We mean to pay back within {_span(clocks[ClockKind.REFUND])}.",
        f"Returned goods are sent within {clocks[ClockKind.DISPATCH].limit.days} days of our approval.",
        f"A cancellation worth more than {limits} is approved by a person, as is one in any other currency."
        if limits
        else "Every cancellation is approved by a person.",
    ]


def row_lines(policy: Policy) -> Iterator[Line]:
    """The decision table, as under ``ROW_HEADINGS``."""
    for at, row in enumerate(policy.rows, 1):
        cited = "\n".join(f"{clause}: {policy.clauses[clause]}" for clause in row.clauses)
        yield str(at), row.rule, phrases(row.tests, policy.terms), answer_of(row), cited


def guard_lines(policy: Policy) -> Iterator[Line]:
    """The guards, as under ``GUARD_HEADINGS``."""
    for guard in policy.guards:
        yield guard.rule, phrases(guard.tests, policy.terms), "hand over to a person, with what the row decided"


def settlement_lines(policy: Policy) -> Iterator[Line]:
    """What is paid back, as under ``SETTLEMENT_HEADINGS``."""
    for terms in policy.settlements:
        ships = terms.outbound_shipping is OutboundShipping.REFUNDED
        yield (
            outcome_words(terms.outcome),
            phrases(terms.tests, policy.terms),
            "paid back with a whole order" if ships else "kept",
            _fee(terms, policy),
            {"none": "none", "customer": "the customer's", "merchant": "the shop's"}[terms.return_postage],
        )


def markdown_page(policy: Policy, shop: str) -> str:
    """The policy as a page that the shop can publish, in Markdown."""
    return "\n".join(
        [
            f"# After-sales policy of {_escaped(shop)}",
            "",
            *(f"- {_escaped(sentence)}" for sentence in promises(policy)),
            *("", "## What we decide", "", "The first line that fits is the answer.", ""),
            *_markdown_table(ROW_HEADINGS[:1] + ROW_HEADINGS[2:], _without_rules(policy)),
            *("", "## When a person decides instead", ""),
            *_markdown_table(GUARD_HEADINGS[1:], (line[1:] for line in guard_lines(policy))),
            *("", "## What is paid back", ""),
            *_markdown_table(SETTLEMENT_HEADINGS, settlement_lines(policy)),
            *("", "## The clauses", ""),
            *(f"- **{clause}** {_escaped(text)}" for clause, text in policy.clauses.items()),
            "",
            f"Version {policy.version[:12]}",
            "",
        ]
    )


def _without_rules(policy: Policy) -> Iterator[Line]:
    for (number, _, when, then, _), row in zip(row_lines(policy), policy.rows, strict=True):
        yield number, when, then, ", ".join(row.clauses)


def _markdown_table(headings: Line, lines: Iterator[Line]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield "|---" * len(headings) + "|"
    for line in lines:
        yield f"| {' | '.join(_escaped(cell) for cell in line)} |"


def _escaped(text: str) -> str:
    """A text as Markdown shows it, whatever signs it holds."""
    return "".join(f"\\{sign}" if sign in r"\`*_[]<>|#" else sign for sign in text.replace("\n", " "))


def _fee(terms: SettlementTerms, policy: Policy) -> str:
    if terms.transaction_fee is FeeBearer.SHOP:
        return "the shop bears it"
    return f"the customer bears it if {phrases(policy.fee.tests, policy.terms)} ({policy.fee.clause})"


def _listed(reasons: frozenset[Reason]) -> str:
    return ", ".join(reason.replace("_", " ") for reason in Reason if reason in reasons)


def _span(clock: ClockTerms) -> str:
    due, limit = (int(span.total_seconds()) // 3600 for span in (clock.due, clock.limit))
    return f"{due} hours, {limit} at the latest"
