"""Facts that cannot be are refused by the path of the field, whatever JSON holds; good ones survive being written."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.model.facts import FactsError
from mailbot.model.forms import facts_form, parse_facts
from mailbot.policy.decide import decide
from mailbot.policy.table import Policy

Form = dict[str, Any]
Build = Callable[..., Form]
Step = str | int

LONG = "9" * 100_000
NAN, INFINITE, HUGE = float("nan"), float("inf"), 10**400
Values = tuple[Any, ...]
OBJECT: Values = (None, True, 1, 1.5, "x", [], [{}])
ARRAY: Values = (None, True, 1, 1.5, "x", {}, {"0": {}})
AMOUNT: Values = (
    *(None, True, 6, 6.0, NAN, [], {}, ["6.00"], {"amount": "6.00"}),
    *("", "six", "-6.00", "-0.00", "+6.00", "6,00", "6.000", "6e2", "NaN", "Infinity", "-Infinity", " 6.00", "6.00\n"),
    *("\u0666.00", "\uff16.00", "6_0.00", ".50", "6.", "0x6", "$6.00", "1234567890123", LONG),
)
COUNT: Values = (None, True, 2.0, 2.5, NAN, INFINITE, "2", -1, 1_000_001, HUGE, -HUGE, [], {}, [2])
FLAG: Values = (0, 1, 0.0, NAN, "true", "", [], {})
WORD: Values = (
    *(True, 0, 1.5, NAN, [], {}, ["refund"]),
    *("", "no such word", " refund", "REFUND", "\uff52efund", "refund\n", LONG),
)
TEXT: Values = (
    *(True, 7, 1.5, NAN, [], {}, ["x"]),
    *("", " ", "\t", "a\nb", "a\0b", "\ud800", "a\u202eb", "a\x1b[2J", "x" * 201, LONG),
)
TIME: Values = (
    *(True, 7, 1.5, NAN, [], {}, ["2026-03-10T09:00:00Z"], "", "yesterday", LONG),
    *("2026-03-10T09:00:00", "2026-03-10", "2026-02-30T09:00:00Z", "2026-03-10T25:00:00Z", "2026-03-10T09:00:00+25:00"),
    *("1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1773133200"),
    *("202\uff16-03-10T09:00:00Z", "2026-03-10T09:00:00Z Z", "10 Mar 2026 09:00 UTC", "2026-03-10T09:00:00\ud800"),
)
DAY: Values = (
    *(True, 7, 20260306, 1.5, NAN, [], {}, ["2026-03-06"], "", "yesterday", LONG, "2026-03-32", "2026-02-29"),
    *("2026-3-6", "20260306", "2026-W10-5", "2026-03-06T00:00:00Z", "06.03.2026", "202\uff16-03-06", "2026-03-06\n"),
    *("1969-12-31", "2200-01-01", "0000-00-00"),
)
CONFIDENCE: Values = (None, True, "0.97", -0.01, 1.01, NAN, INFINITE, -INFINITE, HUGE, [], {}, [0.97])
CURRENCY: Values = (
    *(None, True, 840, 1.5, NAN, [], {}, ["USD"]),
    *("", "usd", "US", "USDX", "XXX", "USD ", "\uff35SD", "\ud800", LONG),
)

WRONG: dict[str, tuple[Any, ...]] = {
    "requested_at": (None, *TIME),
    "claim": OBJECT,
    "claim.reason": (None, *WORD),
    "claim.reason_confidence": CONFIDENCE,
    "claim.wants": (None, *WORD),
    "claim.item_used": FLAG,
    "claim.item_altered": FLAG,
    "claim.original_box": FLAG,
    "claim.received_on": DAY,
    "claim.repurchased": FLAG,
    "claim.mentions_dispute": FLAG,
    "claim.lines": ARRAY,
    "claim.lines[0]": OBJECT,
    "claim.lines[0].sku": (None, "another", *TEXT),
    "claim.lines[0].quantity": (0, 3, *COUNT),
    "evidence": OBJECT,
    "evidence.order_number": ("AW-99999", *TEXT),
    "evidence.invoice": (None, *WORD),
    "evidence.photos": COUNT,
    "sender": (None, *WORD),
    "order": OBJECT[1:],
    "order.number": (None, *TEXT),
    "order.status": (None, *WORD),
    "order.paid_at": (None, *TIME),
    "order.shipped_at": TIME,
    "order.delivered_at": ("2026-03-01T09:59:59Z", *TIME),
    "order.currency": CURRENCY,
    "order.shipping": AMOUNT,
    "order.captured": AMOUNT,
    "order.refunded": AMOUNT,
    "order.payment_method": (None, *TEXT),
    "order.transaction_fee": AMOUNT[1:],
    "order.dispute_open": (None, *FLAG),
    "order.lines": (*ARRAY, []),
    "order.lines[0]": OBJECT,
    "order.lines[0].sku": (None, *TEXT),
    "order.lines[0].quantity": (0, *COUNT),
    "order.lines[0].unit_price": AMOUNT,
    "order.lines[0].discount": AMOUNT,
    "order.lines[0].tax": AMOUNT,
}
MAY_BE_LEFT_OUT = {
    *("claim.wants", "claim.item_used", "claim.item_altered", "claim.original_box", "claim.received_on"),
    *("claim.repurchased", "claim.mentions_dispute", "claim.lines", "evidence.order_number", "evidence.photos"),
    *("order.shipped_at", "order.delivered_at", "order.transaction_fee"),
}
MUST_STAND = [path for path in WRONG if path not in MAY_BE_LEFT_OUT and not path.endswith("]")]


@pytest.fixture(scope="session")
def a_claim_of_lines(a_form: Build) -> Form:
    """Build facts in which every path of the form stands, down to a claimed line."""
    return a_form(claim={"lines": [{"sku": "R-925-07", "quantity": 1}], "received_on": "2026-03-06"})


@pytest.mark.parametrize("path", WRONG)
def test_a_wrong_value_is_refused_by_the_path_of_its_field(path: str, a_claim_of_lines: Form) -> None:
    for wrong in WRONG[path]:
        form = deepcopy(a_claim_of_lines)
        _put(form, _steps(path), wrong)
        with pytest.raises(FactsError) as refused:
            parse_facts(form)
        assert refused.value.path == path
        assert str(refused.value).startswith(f"{path}: ")


@pytest.mark.parametrize("path", WRONG)
def test_every_path_of_the_table_stands_in_the_form(path: str, a_claim_of_lines: Form) -> None:
    assert _steps(path) in [steps for steps, _ in _places(a_claim_of_lines)]


@pytest.mark.parametrize("path", MUST_STAND)
def test_a_missing_key_is_refused_by_its_path(path: str, a_claim_of_lines: Form) -> None:
    form = deepcopy(a_claim_of_lines)
    _drop(form, _steps(path))
    with pytest.raises(FactsError, match="is missing") as refused:
        parse_facts(form)
    assert refused.value.path == path


@pytest.mark.parametrize("path", sorted(MAY_BE_LEFT_OUT))
def test_a_key_that_is_left_out_says_what_nobody_knows(path: str, a_claim_of_lines: Form) -> None:
    unknown = {"claim.wants": "unspecified", "claim.lines": [], "evidence.photos": 0}
    said, left_out = deepcopy(a_claim_of_lines), deepcopy(a_claim_of_lines)
    _put(said, _steps(path), unknown.get(path))
    _drop(left_out, _steps(path))
    assert parse_facts(left_out) == parse_facts(said)


@pytest.mark.parametrize(
    "path",
    ["surprise", *(f"{path}.surprise" for path in ("claim", "claim.lines[0]", "evidence", "order", "order.lines[0]"))],
)
def test_an_unknown_key_is_refused_by_its_path(path: str, a_claim_of_lines: Form) -> None:
    form = deepcopy(a_claim_of_lines)
    _put(form, _steps(path), None)
    with pytest.raises(FactsError, match="known are") as refused:
        parse_facts(form)
    assert refused.value.path == path


@pytest.mark.parametrize("form", [None, True, 1, 1.5, NAN, "x", [], [{}]], ids=repr)
def test_what_is_no_object_at_all_is_refused(form: object) -> None:
    with pytest.raises(FactsError) as refused:
        parse_facts(form)
    assert refused.value.path == "facts"


@pytest.mark.parametrize(
    ("lines", "path"),
    [
        pytest.param([("R-925-07", 3)], "claim.lines[0].quantity", id="more than ordered"),
        pytest.param(
            [("R-925-07", 1), ("R-925-07", 2)], "claim.lines[1].quantity", id="more than ordered, by two lines"
        ),
        pytest.param([("R-925-07", 2), ("E-14", 1)], "claim.lines[1].sku", id="an article that was not ordered"),
        pytest.param([("r-925-07", 1)], "claim.lines[0].sku", id="another spelling of an article"),
    ],
)
def test_a_claim_for_more_than_the_order_holds_is_refused(
    lines: list[tuple[str, int]], path: str, a_form: Build
) -> None:
    form = a_form(claim={"lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines]})
    with pytest.raises(FactsError) as refused:
        parse_facts(form)
    assert refused.value.path == path


def test_a_claim_for_one_of_two_lines_of_the_same_article_is_refused(a_form: Build) -> None:
    line = a_form()["order"]["lines"][0]
    form = a_form(order={"lines": [line, line]}, claim={"lines": [{"sku": line["sku"], "quantity": 1}]})
    with pytest.raises(FactsError, match="names 2 lines") as refused:
        parse_facts(form)
    assert refused.value.path == "claim.lines[0].sku"


@pytest.mark.parametrize(
    ("currency", "amount"),
    [
        pytest.param("JPY", "86.0", id="JPY has no decimals"),
        pytest.param("USD", "86.001", id="USD has two"),
        pytest.param("KWD", "86.0001", id="KWD has three"),
    ],
)
def test_more_decimals_than_the_currency_has_are_refused(currency: str, amount: str, a_form: Build) -> None:
    whole = {"shipping": "6", "captured": "86", "refunded": "0", "transaction_fee": "3", "currency": currency}
    line = {"sku": "R-925-07", "quantity": 2, "unit_price": "40", "discount": "0", "tax": "0"}
    assert parse_facts(a_form(order={**whole, "lines": [line]})).order is not None
    with pytest.raises(FactsError, match=f"has more decimals than {currency}") as refused:
        parse_facts(a_form(order={**whole, "lines": [line], "captured": amount}))
    assert refused.value.path == "order.captured"


def test_goods_may_arrive_in_the_moment_of_payment_but_not_before(a_form: Build) -> None:
    at_once = a_form(order={"paid_at": "2026-03-06T16:00:00+01:00", "delivered_at": "2026-03-06T15:00:00Z"})
    assert parse_facts(at_once).order is not None
    before = a_form(order={"paid_at": "2026-03-06T16:00:01+01:00", "delivered_at": "2026-03-06T15:00:00Z"})
    with pytest.raises(FactsError) as refused:
        parse_facts(before)
    assert refused.value.path == "order.delivered_at"


@pytest.mark.parametrize("spelling", ["AW-10231", "aw10231", "AW 10231", "a w - 1 0 2 3 1"])
def test_the_given_order_number_may_be_spelt_in_any_way_that_means_the_order(spelling: str, a_form: Build) -> None:
    assert parse_facts(a_form(evidence={"order_number": spelling})).evidence.order_number == spelling


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        pytest.param("order.currency", "U" * 100_000, id="a long currency"),
        pytest.param("order.currency", ["USD"] * 100_000, id="a list for a currency"),
        pytest.param("order.shipping", LONG, id="a long amount"),
        pytest.param("order.number", "A" * 100_000, id="a long number"),
        pytest.param("claim.reason", "a\nb" * 1_000, id="lines for a word"),
        pytest.param("k" * 100_000, 1, id="a long unknown key"),
        pytest.param("", 1, id="an unknown key without a letter"),
        pytest.param("claim.two\nlines", 1, id="an unknown key of two lines"),
        pytest.param("claim.\x1bc", 1, id="an unknown key that clears the terminal"),
    ],
)
def test_a_refusal_is_one_short_printable_line(path: str, wrong: object, a_form: Build) -> None:
    form = a_form()
    _put(form, _steps(path), wrong)
    with pytest.raises(FactsError) as refused:
        parse_facts(form)
    assert refused.value.path
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 500


def test_deep_nesting_is_refused_like_any_wrong_value(a_claim_of_lines: Form) -> None:
    for path in WRONG:
        form = deepcopy(a_claim_of_lines)
        deep: list[Any] = []
        for _ in range(3_000):
            deep = [deep]
        _put(form, _steps(path), deep)
        with pytest.raises(FactsError):
            parse_facts(form)


scalar = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["6.00", "0", "2026-03-06", "2026-03-10T09:00:00Z", "R-925-07", "AW-10231", "USD", "JPY", "refund"]
    )
)
any_json = st.recursive(
    scalar,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(sorted({path.rsplit(".", maxsplit=1)[-1] for path in WRONG if not path.endswith("]")}))


@settings(max_examples=300)
@given(seed=st.integers(min_value=0, max_value=2**32), data=st.data())
def test_facts_changed_anywhere_are_facts_or_are_refused(
    seed: int, data: st.DataObject, chance: ModuleType, policy_in: Callable[[str], Policy]
) -> None:
    form: Form = chance.facts(Random(seed), "UTC")
    for _ in range(data.draw(st.integers(min_value=1, max_value=3))):
        steps, value = data.draw(st.sampled_from(list(_places(form))))
        match data.draw(st.sampled_from(("replace", "replace", "drop", "add", "move"))):
            case "drop":
                _drop(form, steps)
            case "add" if isinstance(value, dict):
                value[data.draw(keys | st.text(max_size=5))] = data.draw(any_json)
            case "add" if isinstance(value, list):
                value.append(data.draw(any_json))
            case "move":
                _put(form, steps, deepcopy(data.draw(st.sampled_from(list(_places(form))))[1]))
            case _:
                _put(form, steps, data.draw(any_json))
    _give_facts_or_refuse(form, policy_in("UTC"))


@settings(max_examples=200)
@given(form=any_json | st.dictionaries(keys, any_json | st.dictionaries(keys, any_json)))
def test_any_json_at_all_is_facts_or_is_refused(form: object, policy_in: Callable[[str], Policy]) -> None:
    _give_facts_or_refuse(form, policy_in("UTC"))


def _give_facts_or_refuse(form: object, policy: Policy) -> None:
    try:
        facts = parse_facts(form)
    except FactsError as refused:
        assert refused.path  # noqa: PT017 (either answer is right, and each is looked at)
        return
    assert parse_facts(json.loads(json.dumps(facts_form(facts)))) == facts
    decide(facts, policy)


def _steps(path: str) -> tuple[Step, ...]:
    return tuple(int(step) if step.isdigit() else step for step in path.replace("]", "").replace("[", ".").split("."))


def _places(form: Any, steps: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], Any]]:
    """Give every place of the form but its root, with what stands there."""
    pairs = form.items() if isinstance(form, dict) else enumerate(form) if isinstance(form, list) else ()
    for step, value in pairs:
        yield (*steps, step), value
        yield from _places(value, (*steps, step))


def _parent(form: Any, steps: tuple[Step, ...]) -> Any:
    for step in steps[:-1]:
        form = form[step]
    return form


def _put(form: Form, steps: tuple[Step, ...], value: object) -> None:
    _parent(form, steps)[steps[-1]] = value


def _drop(form: Form, steps: tuple[Step, ...]) -> None:
    del _parent(form, steps)[steps[-1]]
