"""A policy file that is wrong is refused by the place of its fault, and never by anything but a PolicyError."""

import tomllib
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mailbot.model.case import ClockKind
from mailbot.model.facts import Facts
from mailbot.model.forms import parse_facts
from mailbot.policy.decide import NoRowMatchesError, decide
from mailbot.policy.fields import PolicyError
from mailbot.policy.table import Policy, parse_policy

Build = Callable[..., dict[str, Any]]
Step = str | int
UTC = ZoneInfo("UTC")
EDITS, CHANGES = 400, 400
LEFT_OUT = object()
TABLES = (
    *("terms", "clocks", "auto_approve_limit", "reasons", "clauses", "fee_borne_by_buyer"),
    *("settlement", "row", "guard"),
)
OTHER_KINDS: tuple[Any, ...] = (1, "x", True, [], [1], ["x"], [[]], [{}], {})


def _parse(text: str) -> Policy:
    return parse_policy(text, UTC)


def test_the_shipped_policy_is_read_whole(policy_text: str) -> None:
    policy = _parse(policy_text)
    assert len(policy.rows) == 25
    assert [guard.rule for guard in policy.guards] == ["low_confidence", "fee_unknown", "approval_required"]
    assert sorted(policy.clauses) == sorted(f"C{number}" for number in range(1, 16))
    assert policy.clocks[ClockKind.REPLY].limit.total_seconds() == 48 * 3600
    assert {row.rule for row in policy.rows if not row.guarded} == {
        *("dispute", "evidence_missing", "order_unknown", "sender_unproven", "invoice_unreadable"),
        *("invoice_mismatched", "already_refunded", "order_cancelled", "other_remedy"),
    }


@pytest.mark.parametrize(
    ("path", "value", "place", "says"),
    [
        pytest.param(
            *("row.dispute.when", {"disputted": True}, "row 'dispute'", "no condition 'disputted'; use disputed, "),
            id="unknown condition of a row",
        ),
        pytest.param(
            *(
                "guard.fee_unknown.when",
                {"sure": True},
                "guard 'fee_unknown'",
                "no condition 'sure'; use row_outcome, ",
            ),
            id="unknown condition of a guard",
        ),
        pytest.param(
            *("guard.fee_unknown.when", {"disputed": True}, "guard 'fee_unknown'", "no condition 'disputed'"),
            id="a row's condition asked by a guard",
        ),
        pytest.param(
            *("row.dispute.when", {"confident": True}, "row 'dispute'", "no condition 'confident'"),
            id="a guard's condition asked by a row",
        ),
        pytest.param(
            *("fee_borne_by_buyer.when", {"paid_by": "paypal"}, "fee_borne_by_buyer", "no condition 'paid_by'"),
            id="unknown condition of the fee",
        ),
        pytest.param(
            *(
                "settlement.0.when",
                {"despatched": True},
                "settlement 'approve_cancellation'",
                "no condition 'despatched'",
            ),
            id="unknown condition of a settlement",
        ),
        pytest.param("row.dispute.when", "disputed", "row 'dispute'", "must be a table", id="a text for conditions"),
        pytest.param(
            "guard.fee_unknown.when", [], "guard 'fee_unknown'", "must be a table", id="a list for conditions"
        ),
        pytest.param(
            *("row.other_remedy.when.wants", ["exchange", "mend"], "row 'other_remedy'"),
            'wants never answers "mend"; it answers "refund", ',
            id="impossible answer in a list",
        ),
        pytest.param(
            *("row.dispute.when.disputed", "true", "row 'dispute'"),
            'disputed never answers "true"; it answers true, false',
            id="impossible answer: a text for yes",
        ),
        pytest.param(
            *("row.dispute.when.disputed", "unknown", "row 'dispute'"),
            'disputed never answers "unknown"; it answers true, false',
            id="impossible answer: what is always known",
        ),
        pytest.param(
            *("row.dispute.when.disputed", 1, "row 'dispute'"),
            "disputed never answers 1; it answers true, false",
            id="impossible answer: 1 for yes",
        ),
        pytest.param(
            *("row.dispute.when.disputed", [[True]], "row 'dispute'", "disputed never answers"),
            id="impossible answer: a list in a list",
        ),
        pytest.param(
            *("row.dispute.when.disputed", {"open": True}, "row 'dispute'", "disputed never answers"),
            id="impossible answer: a table",
        ),
        pytest.param(
            *("fee_borne_by_buyer.when.payment_method", True, "fee_borne_by_buyer"),
            "payment_method never answers true; it answers a text",
            id="impossible answer: yes for a text",
        ),
        pytest.param("row.dispute.when.disputed", [], "row 'dispute'", "can never be met", id="no answer at all"),
        pytest.param(
            "row.dispute.clauses",
            ["C99"],
            "row 'dispute'",
            "cites 'C99', which [clauses] does not",
            id="unknown clause",
        ),
        pytest.param("row.dispute.clauses", [], "row 'dispute'", "at least one clause", id="no clause"),
        pytest.param("row.dispute.clauses", "C9", "row 'dispute'", "must be a list", id="a text for clauses"),
        pytest.param("row.dispute.clauses", [9], "row 'dispute'", "cites 9", id="a number for a clause"),
        pytest.param("row.dispute.clauses", [["C9"]], "row 'dispute'", "cites ['C9']", id="a list for a clause"),
        pytest.param("row.return.id", "dispute", "row 'dispute'", "the id is given twice", id="two rows of one id"),
        pytest.param(
            "guard.fee_unknown.id", "dispute", "'dispute'", "the id is given twice", id="a row's id for a guard"
        ),
        pytest.param("row.dispute.id", LEFT_OUT, "row None", "needs an id", id="a row without an id"),
        pytest.param("row.dispute.id", 1, "row 1", "needs an id", id="a number for an id"),
        pytest.param("row.dispute.id", "a dispute", "row 'a dispute'", "needs an id", id="two words for an id"),
        pytest.param("guard.fee_unknown.id", "", "guard ''", "needs an id", id="an empty id"),
        pytest.param(
            *("row.return.guarded", LEFT_OUT, "row 'return'", "approves money without the guards; set guarded = true"),
            id="a return approved without guards",
        ),
        pytest.param(
            *("row.cancel.guarded", False, "row 'cancel'", "approves money without the guards; set guarded = true"),
            id="a cancellation approved, guards switched off",
        ),
        pytest.param(
            "row.return.guarded",
            "yes",
            "row 'return'",
            "guarded = 'yes' is neither true nor false",
            id="a text for guarded",
        ),
        pytest.param("row.return.outcome", "accept", "row 'return'", "none of", id="unknown outcome"),
        pytest.param("row.return.outcome", [], "row 'return'", "none of", id="a list for an outcome"),
        pytest.param("row.return.outcome", LEFT_OUT, "row 'return'", "outcome is missing", id="no outcome"),
        pytest.param("row.return.outcome", "refund", "row 'return'", "is for proposals only", id="refunds by itself"),
        pytest.param(
            "row.cancel_late.outcome",
            "decline",
            "row 'cancel_late'",
            "only an escalating row",
            id="declines and proposes",
        ),
        pytest.param(
            *("row.cancel_late.proposal", "decline", "row 'cancel_late'", "only an approval or a refund"),
            id="proposes to decline",
        ),
        pytest.param("row.return.reply", "../generic", "row 'return'", "is not a name", id="a path for a reply"),
        pytest.param("row.return.reply", LEFT_OUT, "row 'return'", "reply is missing", id="no reply"),
        pytest.param("guard.fee_unknown.reply", 1, "guard 'fee_unknown'", "is not a name", id="a number for a reply"),
        pytest.param(
            *("row.cancel_late.proposal_reply", LEFT_OUT, "row 'cancel_late'", "give both or neither"),
            id="a proposal without its reply",
        ),
        pytest.param(
            *("row.return.proposal_reply", "received", "row 'return'", "give both or neither"),
            id="a proposal's reply without a proposal",
        ),
        pytest.param("terms.return_days", -1, "terms", "return_days = -1", id="negative days"),
        pytest.param("terms.return_days", 7.5, "terms", "return_days = 7.5", id="half a day"),
        pytest.param("terms.return_days", "7", "terms", "return_days = '7'", id="a text for days"),
        pytest.param("terms.return_days", True, "terms", "return_days = True", id="yes for days"),
        pytest.param("terms.guarantee_months", 10**11, "terms", "0 to 3660", id="months beyond reason"),
        pytest.param("terms.cancel_days", LEFT_OUT, "terms", "cancel_days is missing", id="no days"),
        pytest.param("terms.min_confidence", 80, "terms", "not a number from 0 to 1", id="confidence in per cent"),
        pytest.param("terms.min_confidence", 1.01, "terms", "not a number from 0 to 1", id="more than sure"),
        pytest.param("terms.min_confidence", float("nan"), "terms", "not a number from 0 to 1", id="confidence: nan"),
        pytest.param("terms.min_confidence", True, "terms", "not a number from 0 to 1", id="confidence: yes"),
        pytest.param(
            "auto_approve_limit.USD", 500, "auto_approve_limit", "decimal string", id="a limit that is no text"
        ),
        pytest.param("auto_approve_limit.USD", "-1", "auto_approve_limit", "negative", id="a negative limit"),
        pytest.param("auto_approve_limit.JPY", "0.5", "auto_approve_limit", "more decimals", id="half a yen"),
        pytest.param("auto_approve_limit.USX", "1", "auto_approve_limit", "'USX' is not an ISO", id="unknown currency"),
        pytest.param("reasons.returnable", ["ring"], "reasons", "none of", id="unknown reason"),
        pytest.param("reasons.logistics", "wrong_item", "reasons", "must be a list", id="a text for a list of reasons"),
        pytest.param(
            "reasons.logistics", LEFT_OUT, "reasons", "logistics is missing", id="a group of reasons left out"
        ),
        pytest.param("clocks.dispatch.due_hours", 5, "clocks.dispatch", "unknown key 'due_hours'", id="hours for days"),
        pytest.param(
            "clocks.dispatch.due_days", 8, "clocks.dispatch", "is due after its limit", id="due after the limit"
        ),
        pytest.param("clocks.refund", LEFT_OUT, "clocks", "refund is missing", id="a clock left out"),
        pytest.param(
            *("settlement.0.return_postage", "nobody", "settlement 'approve_cancellation'"),
            "none of none, customer, merchant",
            id="unknown payer of the postage",
        ),
        pytest.param("settlement.0.outcome", "give", "settlement", "none of", id="unknown outcome of a settlement"),
        pytest.param("clauses.C2", 2, "clauses", "C2", id="a number for a clause's wording"),
        pytest.param("clauses.C2", date(2026, 1, 1), "clauses", "C2", id="a date for a clause's wording"),
        pytest.param("gard", [], "file", "unknown key 'gard'", id="unknown key: file"),
        pytest.param("terms.restocking", 1, "terms", "unknown key 'restocking'", id="unknown key: terms"),
        pytest.param("reasons.other", [], "reasons", "unknown key 'other'", id="unknown key: reasons"),
        pytest.param("clocks.lunch", {}, "clocks", "unknown key 'lunch'", id="unknown key: clocks"),
        pytest.param("row.dispute.weight", 1, "row 'dispute'", "unknown key 'weight'", id="unknown key: row"),
        pytest.param("guard.fee_unknown.outcome", "x", "guard 'fee_unknown'", "unknown key", id="unknown key: guard"),
        pytest.param(
            *("settlement.0.restocking_fee", "5", "settlement 'approve_cancellation'", "unknown key 'restocking_fee'"),
            id="unknown key: settlement",
        ),
        pytest.param(
            *("translations", {"german": {}}, "translations.german", "is no table of a language"),
            id="a language that is none",
        ),
        pytest.param(
            *("translations", {"de": "C1"}, "translations.de", "is no table of a language"),
            id="a text for a language",
        ),
        pytest.param(
            "fee_borne_by_buyer.clause", "C99", "fee_borne_by_buyer", "cites 'C99'", id="unknown clause of the fee"
        ),
        pytest.param(
            *("fee_borne_by_buyer.clause", LEFT_OUT, "fee_borne_by_buyer", "clause is missing"),
            id="no clause for the fee",
        ),
        pytest.param(
            "fee_borne_by_buyer.always", True, "fee_borne_by_buyer", "unknown key 'always'", id="unknown key: fee"
        ),
    ],
)
def test_a_fault_is_refused_by_its_place_with_the_way_to_mend_it(
    *, path: str, value: object, place: str, says: str, policy_text: str
) -> None:
    file = tomllib.loads(policy_text)
    _put(file, path, value)
    with pytest.raises(PolicyError) as refused:
        _parse(_written(file))
    assert place in refused.value.place
    assert says in refused.value.problem
    assert str(refused.value) == f"policy {refused.value.place}: {refused.value.problem}"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[terms", id="a bracket left open"),
        pytest.param("terms = 1\nterms = 2", id="a key given twice"),
        pytest.param("terms = 2026-02-30", id="a day that is none"),
        pytest.param(f"terms = {'9' * 5000}", id="endless digits"),
        pytest.param(f"terms = {'[' * 5000}", id="endless brackets"),
        pytest.param("terms = 1\0", id="NUL"),
        pytest.param('terms = "\ud800"', id="half a character"),
    ],
)
def test_what_is_no_toml_is_refused_as_a_whole(text: str) -> None:
    with pytest.raises(PolicyError) as refused:
        _parse(text)
    assert refused.value.place == "file"


def test_a_number_too_long_to_be_written_is_refused_like_any_other(policy_text: str) -> None:
    with pytest.raises(PolicyError) as refused:
        _parse(policy_text.replace("return_days = 7", f"return_days = 0x{'f' * 5000}"))
    assert refused.value.place == "terms"


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        pytest.param(table, wrong, id=f"{table} = {wrong!r}")
        for table in TABLES
        for wrong in OTHER_KINDS
        if (table, wrong) != ("auto_approve_limit", {})  # no limit at all: every cancellation asks
    ],
)
def test_a_table_of_another_kind_is_refused(table: str, wrong: object, policy_text: str) -> None:
    with pytest.raises(PolicyError):
        _parse(_written({**tomllib.loads(policy_text), table: wrong}))


@pytest.mark.parametrize("table", TABLES)
def test_a_missing_table_is_refused_by_its_name(table: str, policy_text: str) -> None:
    file = tomllib.loads(policy_text)
    del file[table]
    with pytest.raises(PolicyError, match=f"{table}.* (is missing|must stand)"):
        _parse(_written(file))


def test_a_shop_without_limits_asks_for_every_cancellation(policy_text: str) -> None:
    assert _parse(_written({**tomllib.loads(policy_text), "auto_approve_limit": {}})).terms.auto_approve_limits == {}


def test_the_version_is_of_the_content_not_of_its_layout(policy_text: str) -> None:
    policy = _parse(policy_text)
    assert _parse(_written(dict(reversed(tomllib.loads(policy_text).items())))).version == policy.version
    assert _parse(policy_text + "\n# a remark\n").version == policy.version
    assert _parse(policy_text.replace("return_days = 7", "return_days = 14")).version != policy.version


def test_the_version_is_of_all_that_a_decision_and_its_trace_depend_on(policy_text: str) -> None:
    policy, asked = _parse(policy_text), "returnable = true, dispatched = false, in_cancel_window = true"
    assert parse_policy(policy_text, ZoneInfo("Asia/Tokyo")).version != policy.version
    other_order = policy_text.replace(asked, "dispatched = false, returnable = true, in_cancel_window = true")
    assert _parse(other_order).version != policy.version


def test_a_file_edited_anywhere_is_a_policy_that_decides_or_is_refused(
    policy_text: str, seed: str, a_form: Build
) -> None:
    facts = parse_facts(a_form())
    for at in range(EDITS):
        draw = _draw(seed, at)
        text = policy_text
        for _ in range(draw.randint(1, 3)):
            text = draw.choice((_cut, _double, _swap_words, _scribble, _end_early))(text, draw)
        _decide_or_refuse(text, facts, f"MAILBOT_TEST_SEED={seed}, edit {at}")


def test_a_file_with_any_value_changed_is_a_policy_that_decides_or_is_refused(
    policy_text: str, seed: str, a_form: Build
) -> None:
    facts = parse_facts(a_form())
    whole = tomllib.loads(policy_text)
    for at in range(CHANGES):
        draw = _draw(seed, at)
        file = deepcopy(whole)
        for _ in range(draw.randint(1, 2)):
            parent, step = draw.choice(list(_places(file)))
            match draw.choice(("replace", "replace", "replace", "drop", "add")):
                case "drop":
                    del parent[step]
                case "add" if isinstance(parent[step], dict):
                    parent[step][draw.choice(("when", "id", "surprise"))] = _junk(draw)
                case _:
                    parent[step] = _junk(draw)
        _decide_or_refuse(_written(file), facts, f"MAILBOT_TEST_SEED={seed}, change {at}")


def _decide_or_refuse(text: str, facts: Facts, told: str) -> None:
    try:
        decide(facts, _parse(text))
    except PolicyError as refused:
        assert refused.place, told  # noqa: PT017 (either answer is right, and each is looked at)
    except NoRowMatchesError:
        return
    except Exception as other:
        raise AssertionError(f"{told}: {other!r}") from other


def _draw(seed: str, at: int) -> Random:
    return Random(f"{seed}:{at}")


def _cut(text: str, draw: Random) -> str:
    at = draw.randrange(len(text) + 1)
    return text[:at] + text[at + draw.choice((1, 3, 20, 200)) :]


def _double(text: str, draw: Random) -> str:
    lines = text.splitlines()
    lines.insert(draw.randrange(len(lines) + 1), draw.choice(lines or [""]))
    return "\n".join(lines)


def _swap_words(text: str, draw: Random) -> str:
    words = text.split(" ")
    one, other = draw.randrange(len(words)), draw.randrange(len(words))
    words[one], words[other] = words[other], words[one]
    return " ".join(words)


def _scribble(text: str, draw: Random) -> str:
    at = draw.randrange(len(text) + 1)
    return (
        text[:at] + draw.choice(('"', "'", "[", "]", "{", "}", "=", "\n", "\0", "#", "1", "true", ".", "é")) + text[at:]
    )


def _end_early(text: str, draw: Random) -> str:
    return text[: draw.randrange(len(text) + 1)]


def _junk(draw: Random, depth: int = 2) -> Any:
    plain = (
        *(True, False, 0, 1, -1, 8, 10**30, 0.5, -0.0, float("nan"), float("inf")),
        *("", "x", "unknown", "refund", "escalate", "approve_return", "true", "C1", "500", "-5", "US D", "é\n\x7f"),
        *(date(2026, 3, 6), datetime(2026, 3, 6, 9), time(9)),  # noqa: DTZ001 (TOML has such times)
    )
    kind = draw.random() if depth else 1.0
    if kind < 0.2:
        return [_junk(draw, depth - 1) for _ in range(draw.randint(0, 2))]
    if kind < 0.4:
        return {draw.choice(("x", "reason", "when", "USD")): _junk(draw, depth - 1)} if draw.random() < 0.8 else {}
    return draw.choice(plain)


def _places(value: Any) -> Iterator[tuple[Any, Step]]:
    """Give every place of a TOML document, as what holds it and the step from there."""
    pairs = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    for step, inner in pairs:
        yield value, step
        yield from _places(inner)


def _put(file: dict[str, Any], path: str, value: object) -> None:
    """Set one place of the file; rows and guards are named by their id, settlements by their number."""
    *steps, last = path.split(".")
    place: Any = file
    for step in steps:
        if isinstance(place, list):
            place = place[int(step)] if step.isdigit() else next(rule for rule in place if rule["id"] == step)
        else:
            place = place[step]
    if value is LEFT_OUT:
        del place[last]
    else:
        place[last] = value


def _written(file: dict[str, Any]) -> str:
    return "\n".join(f"{_quoted(key)} = {_toml(value)}" for key, value in file.items())


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return _quoted(value)
        case list():
            return f"[{', '.join(map(_toml, value))}]"
        case dict():
            return f"{{{', '.join(f'{_quoted(key)} = {_toml(inner)}' for key, inner in value.items())}}}"
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)


def _quoted(text: str) -> str:
    return (
        '"'
        + "".join(sign if sign.isprintable() and sign not in '"\\' else f"\\U{ord(sign):08X}" for sign in text)
        + '"'
    )


def test_a_clause_is_quoted_in_the_customer_s_language_else_in_the_shop_s_words(policy_text: str) -> None:
    policy = _parse(_written({**tomllib.loads(policy_text), "translations": {"xx": {"C1": "Ein Text."}}}))
    assert policy.wording("C1", "xx") == "Ein Text."
    assert policy.wording("C2", "xx") == policy.clauses["C2"]
    assert policy.wording("C1", "yy") == policy.clauses["C1"]


def test_a_row_is_found_by_its_id(policy_text: str) -> None:
    policy = _parse(policy_text)
    assert [policy.row(row.rule) for row in policy.rows] == list(policy.rows)
    assert policy.row("no_such_row") is None


def test_the_replies_are_all_that_a_row_a_guard_or_a_proposal_sends(policy_text: str) -> None:
    file = tomllib.loads(policy_text)
    keys = ("reply", "proposal_reply")
    sent = {form[key] for kind in ("row", "guard") for form in file[kind] for key in keys if key in form}
    assert _parse(policy_text).replies == sent


def test_a_clock_may_be_due_at_its_limit(policy_text: str) -> None:
    file = tomllib.loads(policy_text)
    file["clocks"]["reply"] = {"due_hours": 48, "limit_hours": 48}
    terms = _parse(_written(file)).clocks[ClockKind.REPLY]
    assert terms.due == terms.limit == timedelta(hours=48)


@pytest.mark.parametrize("sure", [0, 0.0, 1, 1.0])
def test_a_confidence_may_be_nothing_or_everything(sure: float, policy_text: str) -> None:
    file = tomllib.loads(policy_text)
    file["terms"]["min_confidence"] = sure
    assert _parse(_written(file)).terms.min_confidence == sure
