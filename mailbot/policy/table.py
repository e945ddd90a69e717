"""The policy file as a frozen ``Policy``: numbers, rows, guards, clause texts; a bad row is refused by its id."""

import hashlib
import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from mailbot.errors import InputError, shown
from mailbot.model.case import ClockKind, ClockTerms
from mailbot.model.decision import APPROVALS, Answer, Outcome, ReturnPostage
from mailbot.model.facts import Reason
from mailbot.model.money import Money, MoneyError
from mailbot.policy.conditions import OF_DRAFTS, OF_FACTS, Ground
from mailbot.policy.rules import Guard, Row, Subject, Test
from mailbot.policy.settlement import FeeBearer, OutboundShipping, SettlementTerms
from mailbot.policy.terms import Terms

_Word = TypeVar("_Word", bound=StrEnum)
_Conditions = Mapping[str, tuple[Callable[[Subject], Answer], tuple[Answer, ...] | None]]


class PolicyError(InputError):
    """The policy file is wrong: ``place`` is the row, guard or table, the text says how to mend it."""

    def __init__(self, place: str, problem: str) -> None:
        """Keep the place apart from what is wrong there."""
        self.place, self.problem = place, problem
        super().__init__(f"policy {place}: {problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A shop's policy, ready to decide by.

    Attributes:
        version: SHA-256 (hex) of the file's content, comments and layout apart.
        clauses: the shop's wording by clause id.
        fee_clause: the one that lays the payment service's fee on the buyer.
        clocks: when the shop means to act, and when it must.
    """

    version: str
    terms: Terms
    rows: tuple[Row, ...]
    guards: tuple[Guard, ...]
    settlements: tuple[SettlementTerms, ...]
    fee_borne_by_buyer: tuple[Test[Ground], ...]
    fee_clause: str
    clauses: Mapping[str, str]
    clocks: Mapping[ClockKind, ClockTerms]

    def row(self, rule: str) -> Row | None:
        """The row of that id."""
        return next((row for row in self.rows if row.rule == rule), None)


def parse_policy(text: str, timezone: ZoneInfo) -> Policy:
    """Read a policy file (TOML).

    Args:
        text: the file's content; ``policy/default.toml`` documents the form.
        timezone: the shop's.

    Raises:
        PolicyError: the file is no TOML, or a table, row or guard is wrong; it names which and why.
    """
    try:
        file = tomllib.loads(text)
    except ValueError as problem:  # of TOML, or of a number of endless digits
        raise PolicyError("file", f"is not TOML: {problem}") from None
    except RecursionError:
        raise PolicyError("file", "is not TOML: brackets in brackets without end") from None
    _refuse_unknown("file", file, _FILE_KEYS)
    clauses = _table("file", file, "clauses")
    for clause, wording in clauses.items():
        if not isinstance(wording, str):
            raise PolicyError("clauses", f"{clause} = {shown(wording)} is no text")
    rows = tuple(_row(form, clauses) for form in _tables(file, "row"))
    guards = tuple(_guard(form) for form in _tables(file, "guard"))
    _refuse_twins([row.rule for row in rows] + [guard.rule for guard in guards])
    fee = _table("file", file, "fee_borne_by_buyer")
    _refuse_unknown("fee_borne_by_buyer", fee, {"clause", "when"})
    terms = _terms(file, timezone)
    settlements = tuple(_settlement(form) for form in _tables(file, "settlement"))
    clocks = _clocks(_table("file", file, "clocks"))
    return Policy(
        terms=terms,
        rows=rows,
        guards=guards,
        settlements=settlements,
        fee_borne_by_buyer=_tests(
            "fee_borne_by_buyer", "fee_borne_by_buyer", _table("fee_borne_by_buyer", fee, "when"), OF_FACTS
        ),
        fee_clause=_cited("fee_borne_by_buyer", [_get("fee_borne_by_buyer", fee, "clause")], clauses)[0],
        clauses=MappingProxyType(clauses),
        clocks=clocks,
        version=hashlib.sha256(json.dumps(file, sort_keys=True).encode()).hexdigest(),
    )


_FILE_KEYS = {
    *("terms", "clocks", "auto_approve_limit", "reasons", "clauses"),
    *("fee_borne_by_buyer", "settlement", "row", "guard"),
}
_ROW_KEYS = {"id", "when", "outcome", "proposal", "proposal_reply", "clauses", "reply", "guarded"}
_DAY_COUNTS = ("return_days", "cancel_days", "guarantee_months", "max_transit_days")
_MOST_DAYS = 3660


def _terms(file: dict[str, Any], timezone: ZoneInfo) -> Terms:
    numbers, reasons = _table("file", file, "terms"), _table("file", file, "reasons")
    _refuse_unknown("terms", numbers, {*_DAY_COUNTS, "min_confidence"})
    _refuse_unknown("reasons", reasons, {"returnable", "logistics"})
    confidence = _get("terms", numbers, "min_confidence")
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        raise PolicyError("terms", f"min_confidence = {shown(confidence)} is not a number from 0 to 1")
    limits = {}
    for currency, limit in _table("file", file, "auto_approve_limit").items():
        try:
            limits[currency] = Money.parse(limit, currency)
        except MoneyError as problem:
            raise PolicyError("auto_approve_limit", str(problem)) from None
    return Terms(
        timezone=timezone,
        **{key: _whole("terms", numbers, key) for key in _DAY_COUNTS},
        min_confidence=float(confidence),
        auto_approve_limits=MappingProxyType(limits),
        returnable=frozenset(_words("reasons", reasons, "returnable", Reason)),
        logistics=frozenset(_words("reasons", reasons, "logistics", Reason)),
    )


def _clocks(tables: dict[str, Any]) -> Mapping[ClockKind, ClockTerms]:
    _refuse_unknown("clocks", tables, set(ClockKind))
    clocks = {}
    for kind in ClockKind:
        place, table = f"clocks.{kind}", _table("clocks", tables, kind)
        unit = "days" if kind is ClockKind.DISPATCH else "hours"
        _refuse_unknown(place, table, {f"due_{unit}", f"limit_{unit}"})
        due, limit = (_whole(place, table, f"{level}_{unit}") for level in ("due", "limit"))
        if due > limit:
            raise PolicyError(place, f"is due after its limit ({due} > {limit} {unit})")
        clocks[kind] = ClockTerms(due=timedelta(**{unit: due}), limit=timedelta(**{unit: limit}))
    return MappingProxyType(clocks)


def _row(form: dict[str, Any], clauses: Mapping[str, str]) -> Row:
    rule = _id(form, "row")
    place = f"row {rule!r}"
    _refuse_unknown(place, form, _ROW_KEYS)
    outcome = _word(place, form, "outcome", Outcome)
    if outcome is Outcome.REFUND:
        raise PolicyError(place, 'outcome "refund" is for proposals only; escalate and propose it')
    proposal = _word(place, form, "proposal", Outcome) if "proposal" in form else None
    if proposal is not None and (outcome is not Outcome.ESCALATE or proposal not in {*APPROVALS, Outcome.REFUND}):
        raise PolicyError(place, "only an escalating row proposes, and only an approval or a refund")
    if (proposal is None) != ("proposal_reply" not in form):
        raise PolicyError(place, "proposal and proposal_reply belong together; give both or neither")
    guarded = form.get("guarded", False)
    if not isinstance(guarded, bool):
        raise PolicyError(place, f"guarded = {guarded!r} is neither true nor false")
    if outcome in APPROVALS and not guarded:
        raise PolicyError(place, "approves money without the guards; set guarded = true")
    return Row(
        rule=rule,
        tests=_tests(place, rule, form.get("when", {}), OF_FACTS),
        outcome=outcome,
        proposal=proposal,
        clauses=_cited(place, _get(place, form, "clauses"), clauses),
        reply=_text(place, form, "reply"),
        proposal_reply=None if proposal is None else _text(place, form, "proposal_reply"),
        guarded=guarded,
    )


def _cited(place: str, cited: object, clauses: Mapping[str, str]) -> tuple[str, ...]:
    if not isinstance(cited, list) or not cited:
        raise PolicyError(place, "clauses must be a list of at least one clause id")
    unknown = [clause for clause in cited if not isinstance(clause, str) or clause not in clauses]
    if unknown:
        raise PolicyError(place, f"cites {unknown[0]!r}, which [clauses] does not have")
    return tuple(cited)


def _guard(form: dict[str, Any]) -> Guard:
    rule = _id(form, "guard")
    place = f"guard {rule!r}"
    _refuse_unknown(place, form, {"id", "when", "reply"})
    return Guard(
        rule=rule,
        tests=_tests(place, rule, _table(place, form, "when"), OF_DRAFTS),
        reply=_text(place, form, "reply"),
    )


def _settlement(form: dict[str, Any]) -> SettlementTerms:
    outcome = _word("settlement", form, "outcome", Outcome)
    place = f"settlement {outcome.value!r}"
    _refuse_unknown(place, form, {"outcome", "when", "outbound_shipping", "transaction_fee", "return_postage"})
    return SettlementTerms(
        outcome=outcome,
        tests=_tests(place, "settlement", form.get("when", {}), OF_FACTS),
        outbound_shipping=_word(place, form, "outbound_shipping", OutboundShipping),
        transaction_fee=_word(place, form, "transaction_fee", FeeBearer),
        return_postage=_word(place, form, "return_postage", ReturnPostage),
    )


def _tests(place: str, rule: str, when: object, conditions: _Conditions[Subject]) -> tuple[Test[Subject], ...]:
    if not isinstance(when, dict):
        raise PolicyError(place, "when must be a table of conditions, such as { returnable = true }")
    tests = []
    for name, wish in when.items():
        if name not in conditions:
            raise PolicyError(place, f"no condition {name!r}; use {', '.join(conditions)}")
        ask, answers = conditions[name]
        wanted = tuple(None if wish == "unknown" else wish for wish in (wish if isinstance(wish, list) else [wish]))
        if not wanted:
            raise PolicyError(place, f"{name} = [] can never be met; name at least one answer")
        for answer in wanted:
            if not _may_answer(answer, answers):
                known = ", ".join(_written(answer) for answer in answers or ()) or "a text"
                raise PolicyError(place, f"{name} never answers {_written(answer)}; it answers {known}")
        tests.append(Test(rule=rule, condition=name, ask=ask, wanted=wanted))
    return tuple(tests)


def _may_answer(answer: object, answers: tuple[Answer, ...] | None) -> bool:
    if answers is None:
        return answer is None or isinstance(answer, str)
    return any(answer == known and isinstance(answer, bool) == isinstance(known, bool) for known in answers)


def _written(answer: object) -> str:
    if isinstance(answer, bool):
        return str(answer).lower()
    if answer is None:
        return '"unknown"'
    return f'"{answer}"' if isinstance(answer, str) else shown(answer)


def _id(form: dict[str, Any], kind: str) -> str:
    rule = form.get("id")
    if not isinstance(rule, str) or not rule.isidentifier():
        raise PolicyError(f"{kind} {rule!r}", "needs an id of letters, digits and underscores")
    return rule


def _refuse_twins(rules: Iterable[str]) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule in seen:
            raise PolicyError(f"row {rule!r}", "the id is given twice; ids are unique over rows and guards")
        seen.add(rule)


def _refuse_unknown(place: str, form: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(form.keys() - known)
    if unknown:
        raise PolicyError(place, f"unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")


def _get(place: str, form: Mapping[str, Any], key: str) -> Any:
    if key not in form:
        raise PolicyError(place, f"{key} is missing")
    return form[key]


def _table(place: str, form: Mapping[str, Any], key: str) -> dict[str, Any]:
    table = _get(place, form, key)
    if not isinstance(table, dict):
        raise PolicyError(place, f"{key} must be a table")
    return table


def _tables(file: dict[str, Any], key: str) -> list[dict[str, Any]]:
    tables = _get("file", file, key)
    if not isinstance(tables, list) or not tables:
        raise PolicyError("file", f"[[{key}]] must stand at least once")
    if not all(isinstance(table, dict) for table in tables):
        raise PolicyError("file", f"[[{key}]] must be tables")
    return tables


def _text(place: str, form: Mapping[str, Any], key: str) -> str:
    text = _get(place, form, key)
    if not isinstance(text, str) or not text.isidentifier():
        raise PolicyError(place, f"{key} = {text!r} is not a name of letters, digits and underscores")
    return text


def _whole(place: str, form: Mapping[str, Any], key: str) -> int:
    number = _get(place, form, key)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= _MOST_DAYS:
        raise PolicyError(place, f"{key} = {shown(number)} is not a whole number from 0 to {_MOST_DAYS}")
    return number


def _word(place: str, form: Mapping[str, Any], key: str, words: type[_Word]) -> _Word:
    return _as_word(place, key, _get(place, form, key), words)


def _words(place: str, form: Mapping[str, Any], key: str, words: type[_Word]) -> list[_Word]:
    listed = _get(place, form, key)
    if not isinstance(listed, list):
        raise PolicyError(place, f"{key} must be a list")
    return [_as_word(place, key, word, words) for word in listed]


def _as_word(place: str, key: str, word: object, words: type[_Word]) -> _Word:
    try:
        return words(word)  # type: ignore[arg-type]
    except ValueError:
        raise PolicyError(place, f"{key} {word!r} is none of {', '.join(words)}") from None
