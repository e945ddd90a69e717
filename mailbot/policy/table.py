"""The policy file as a frozen ``Policy``: numbers, rows, guards, clause texts; a bad row is refused by its id."""

import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from mailbot.errors import shown
from mailbot.model.case import ClockKind, ClockTerms
from mailbot.model.decision import APPROVALS, Answer, Outcome, ReturnPostage
from mailbot.model.facts import Reason
from mailbot.model.money import Money, MoneyError
from mailbot.policy.conditions import OF_DRAFTS, OF_FACTS
from mailbot.policy.examples import Example, read_examples
from mailbot.policy.fields import (
    PolicyError,
    UnknownConditionError,
    read,
    read_name,
    read_table,
    read_tables,
    read_whole,
    read_word,
    read_words,
    refuse_unknown,
)
from mailbot.policy.rules import Guard, Row, Subject, Test
from mailbot.policy.settlement import FeeBearer, FeeRule, OutboundShipping, SettlementTerms
from mailbot.policy.terms import Terms

_Conditions = Mapping[str, tuple[Callable[[Subject], Answer], tuple[Answer, ...] | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A shop's policy, ready to decide by.

    Attributes:
        version: SHA-256 (hex) of the file's content, comments and layout apart, and of the time zone.
        applies_from: orders paid before this day, in the shop's time zone, keep the earlier policy.
        examples: what the file itself says that it decides; ``check_policy`` holds it to them.
        text: the file as it stands, kept beside every decision made by it.
        clauses: the shop's wording by clause id.
        translations: the same in other languages (ISO 639-1), as far as the file has them.
        fee: who bears the payment service's fee.
        clocks: when the shop means to act, and when it must.
    """

    version: str
    text: str
    terms: Terms
    rows: tuple[Row, ...]
    guards: tuple[Guard, ...]
    settlements: tuple[SettlementTerms, ...]
    fee: FeeRule
    clauses: Mapping[str, str]
    translations: Mapping[str, Mapping[str, str]]
    clocks: Mapping[ClockKind, ClockTerms]
    applies_from: date | None
    examples: tuple[Example, ...]

    @property
    def replies(self) -> frozenset[str]:
        """The names of all reply templates that its rows and guards send."""
        sent = {row.reply for row in self.rows} | {guard.reply for guard in self.guards}
        return frozenset(sent | {row.proposal_reply for row in self.rows if row.proposal_reply})

    def wording(self, clause: str, language: str) -> str:
        """What a clause says, in that language if the file has it, else in the shop's own words."""
        return self.translations.get(language, self.clauses).get(clause, self.clauses[clause])

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
    return _policy(file, text, timezone)


def without(text: str, timezone: ZoneInfo, unknown: UnknownConditionError) -> Policy:
    """A policy whose file asks for a condition that does not exist, read as if nobody asked for it.

    Raises:
        PolicyError: something else is wrong as well.
    """
    file = tomllib.loads(text)
    for form in (*file["row"], *file["guard"]):
        if isinstance(form.get("when"), dict):
            form["when"].pop(unknown.condition, None)
    return _policy(file, text, timezone)


def _policy(file: dict[str, Any], text: str, timezone: ZoneInfo) -> Policy:
    refuse_unknown("file", file, _FILE_KEYS)
    clauses = read_table("file", file, "clauses")
    for clause, wording in clauses.items():
        if not isinstance(wording, str):
            raise PolicyError("clauses", f"{clause} = {shown(wording)} is no text")
    rows = tuple(_row(form, clauses) for form in read_tables(file, "row"))
    guards = tuple(_guard(form) for form in read_tables(file, "guard"))
    _refuse_twins([row.rule for row in rows] + [guard.rule for guard in guards])
    terms = _terms(file, timezone)
    settlements = tuple(_settlement(form) for form in read_tables(file, "settlement"))
    clocks = _clocks(read_table("file", file, "clocks"))
    return Policy(
        terms=terms,
        rows=rows,
        guards=guards,
        settlements=settlements,
        fee=_fee(read_table("file", file, "fee_borne_by_buyer"), clauses),
        clauses=MappingProxyType(clauses),
        translations=_translations(file, clauses),
        clocks=clocks,
        applies_from=_applies_from(file),
        examples=read_examples(file),
        version=_version(file, timezone),
        text=text,
    )


_FILE_KEYS = {
    *("terms", "clocks", "auto_approve_limit", "reasons", "clauses"),
    *("fee_borne_by_buyer", "settlement", "row", "guard", "applies_from", "example", "translations"),
}
_LANGUAGE = re.compile(r"[a-z]{2}", re.ASCII)
_ROW_KEYS = {"id", "when", "outcome", "proposal", "proposal_reply", "clauses", "reply", "guarded"}
_DAY_COUNTS = ("return_days", "cancel_days", "guarantee_months", "max_transit_days")


def _version(file: dict[str, Any], timezone: ZoneInfo) -> str:
    """The order of conditions counts, because a trace follows it; so does the zone, because windows are its days."""
    return hashlib.sha256(json.dumps([timezone.key, sorted(file.items())], default=str).encode()).hexdigest()


def _applies_from(file: dict[str, Any]) -> date | None:
    day = file.get("applies_from")
    if day is None or (isinstance(day, date) and not isinstance(day, datetime)):
        return day
    raise PolicyError("file", f"applies_from = {shown(day)} is not a date such as 2026-06-01, without quotes")


def _terms(file: dict[str, Any], timezone: ZoneInfo) -> Terms:
    numbers, reasons = read_table("file", file, "terms"), read_table("file", file, "reasons")
    refuse_unknown("terms", numbers, {*_DAY_COUNTS, "min_confidence"})
    refuse_unknown("reasons", reasons, {"returnable", "logistics"})
    confidence = read("terms", numbers, "min_confidence")
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        raise PolicyError("terms", f"min_confidence = {shown(confidence)} is not a number from 0 to 1")
    limits = {}
    for currency, limit in read_table("file", file, "auto_approve_limit").items():
        try:
            limits[currency] = Money.parse(limit, currency)
        except MoneyError as problem:
            raise PolicyError("auto_approve_limit", str(problem)) from None
    return Terms(
        timezone=timezone,
        **{key: read_whole("terms", numbers, key) for key in _DAY_COUNTS},
        min_confidence=float(confidence),
        auto_approve_limits=MappingProxyType(limits),
        returnable=frozenset(read_words("reasons", reasons, "returnable", Reason)),
        logistics=frozenset(read_words("reasons", reasons, "logistics", Reason)),
    )


def _translations(file: dict[str, Any], clauses: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
    """Clause texts in other languages; a file may leave them out."""
    languages = read_table("file", {"translations": {}} | file, "translations")
    for language, wordings in languages.items():
        place = f"translations.{language}"
        if not _LANGUAGE.fullmatch(language) or not isinstance(wordings, dict):
            raise PolicyError(place, "is no table of a language such as [translations.de]")
        refuse_unknown(place, wordings, set(clauses))
        for clause, wording in wordings.items():
            if not isinstance(wording, str):
                raise PolicyError(place, f"{clause} = {shown(wording)} is no text")
    return MappingProxyType({language: MappingProxyType(wordings) for language, wordings in languages.items()})


def _clocks(tables: dict[str, Any]) -> Mapping[ClockKind, ClockTerms]:
    refuse_unknown("clocks", tables, set(ClockKind))
    clocks = {}
    for kind in ClockKind:
        place, table = f"clocks.{kind}", read_table("clocks", tables, kind)
        unit = "days" if kind is ClockKind.DISPATCH else "hours"
        refuse_unknown(place, table, {f"due_{unit}", f"limit_{unit}"})
        due, limit = (read_whole(place, table, f"{level}_{unit}") for level in ("due", "limit"))
        if due > limit:
            raise PolicyError(place, f"is due after its limit ({due} > {limit} {unit})")
        clocks[kind] = ClockTerms(due=timedelta(**{unit: due}), limit=timedelta(**{unit: limit}))
    return MappingProxyType(clocks)


def _row(form: dict[str, Any], clauses: Mapping[str, str]) -> Row:
    rule = _id(form, "row")
    place = f"row {rule!r}"
    refuse_unknown(place, form, _ROW_KEYS)
    outcome = read_word(place, form, "outcome", Outcome)
    if outcome is Outcome.REFUND:
        raise PolicyError(place, 'outcome "refund" is for proposals only; escalate and propose it')
    proposal = read_word(place, form, "proposal", Outcome) if "proposal" in form else None
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
        clauses=_cited(place, read(place, form, "clauses"), clauses),
        reply=read_name(place, form, "reply"),
        proposal_reply=None if proposal is None else read_name(place, form, "proposal_reply"),
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
    refuse_unknown(place, form, {"id", "when", "reply"})
    return Guard(
        rule=rule,
        tests=_tests(place, rule, read_table(place, form, "when"), OF_DRAFTS),
        reply=read_name(place, form, "reply"),
    )


def _settlement(form: dict[str, Any]) -> SettlementTerms:
    outcome = read_word("settlement", form, "outcome", Outcome)
    place = f"settlement {outcome.value!r}"
    refuse_unknown(place, form, {"outcome", "when", "outbound_shipping", "transaction_fee", "return_postage"})
    return SettlementTerms(
        outcome=outcome,
        tests=_tests(place, "settlement", form.get("when", {}), OF_FACTS),
        outbound_shipping=read_word(place, form, "outbound_shipping", OutboundShipping),
        transaction_fee=read_word(place, form, "transaction_fee", FeeBearer),
        return_postage=read_word(place, form, "return_postage", ReturnPostage),
    )


def _fee(form: dict[str, Any], clauses: Mapping[str, str]) -> FeeRule:
    place = "fee_borne_by_buyer"
    refuse_unknown(place, form, {"clause", "when"})
    return FeeRule(
        tests=_tests(place, place, read_table(place, form, "when"), OF_FACTS),
        clause=_cited(place, [read(place, form, "clause")], clauses)[0],
    )


def _tests(place: str, rule: str, when: object, conditions: _Conditions[Subject]) -> tuple[Test[Subject], ...]:
    if not isinstance(when, dict):
        raise PolicyError(place, "when must be a table of conditions, such as { returnable = true }")
    tests = []
    for name, wish in when.items():
        if name not in conditions:
            raise UnknownConditionError(place, name, conditions)
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
