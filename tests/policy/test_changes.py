"""Changing a policy: which orders keep the older one, what differs in sentences, what would be decided otherwise."""

import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mailbot.errors import InputError
from mailbot.model.forms import decision_form, parse_facts
from mailbot.policy.compare import differences, find_change
from mailbot.policy.conditions import OF_DRAFTS, OF_FACTS
from mailbot.policy.decide import decide
from mailbot.policy.examples import read_examples
from mailbot.policy.fields import PolicyError
from mailbot.policy.lint import lint_policy
from mailbot.policy.page import markdown_page
from mailbot.policy.plain import phrase
from mailbot.policy.rules import Test as RuleTest
from mailbot.policy.table import Policy, parse_policy
from mailbot.policy.versions import in_order, policy_for

Form = dict[str, Any]
Build = Callable[..., Form]
ZONE = ZoneInfo("America/New_York")


@pytest.fixture
def edited(policy_text: str) -> Callable[..., Policy]:
    """The shipped policy with pieces of its text replaced, applying from a day."""

    def edit(*changes: tuple[str, str], applies_from: str | None = None) -> Policy:
        text = policy_text if applies_from is None else f"applies_from = {applies_from}\n{policy_text}"
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        return parse_policy(text, ZONE)

    return edit


Edited = Callable[..., Policy]


def _change(form: Form, older: Policy, newer: Policy) -> Any:
    decided = decision_form(decide(parse_facts(form), older).decision)
    return find_change("RF-000007", form, decided, newer)


def test_an_order_keeps_the_policy_that_was_in_force_on_the_day_it_was_paid(edited: Edited, a_form: Build) -> None:
    older, newer = edited(), edited(("return_days = 7", "return_days = 14"), applies_from="2026-03-05")
    policies = in_order([older, newer])
    assert policies == (newer, older)
    for paid_at, expected in (
        ("2026-03-05T04:59:59Z", older),  # the day before, in the shop's time zone
        ("2026-03-05T05:00:00Z", newer),
        ("2026-03-01T12:00:00Z", older),
    ):
        form = a_form(order={"paid_at": paid_at, "shipped_at": None, "delivered_at": None})
        assert policy_for(parse_facts(form).order, policies) is expected, paid_at
    assert policy_for(None, policies) is newer


def test_policies_that_leave_the_beginning_open_are_refused(edited: Edited) -> None:
    with pytest.raises(PolicyError, match=r"applies_from = 2026-03-05, and no earlier policy"):
        in_order([edited(applies_from="2026-03-05"), edited(applies_from="2026-06-01")])


@pytest.mark.parametrize(("day", "says"), [(None, "without applies_from"), ("2026-03-05", "applies_from = 2026-03-05")])
def test_two_policies_of_one_day_are_refused(day: str | None, says: str, edited: Edited) -> None:
    with pytest.raises(PolicyError, match=f"two policies .*{says}"):
        in_order([edited(), edited(applies_from=day), edited(applies_from=day)])


def test_applies_from_must_be_a_date(edited: Edited) -> None:
    assert edited(applies_from="2026-06-01").applies_from == date(2026, 6, 1)
    for wrong in ('"2026-06-01"', "2026-06-01T00:00:00Z", "true"):
        with pytest.raises(PolicyError, match="is not a date such as 2026-06-01"):
            edited(applies_from=wrong)


def test_a_policy_compared_with_itself_differs_in_nothing(edited: Edited) -> None:
    assert list(differences(edited(), edited())) == []


GUARD = "guard low_confidence: the row decides by itself; the reason was read with less than {} certainty: "
ASKS = "returnable = true and in_return_window = true and used_or_altered = true"
NEW = "The row 'box_gone' is new, as number 24: when the reason is one for a return; within 7 days of receipt; "
C2 = "Handled and used properly, our products do not break."


@pytest.mark.parametrize(
    ("change", "sentences"),
    [
        (
            ("return_days = 7 ", "return_days = 30 "),
            [
                "No longer: A return can be asked for within 7 days of receipt.",
                "Now: A return can be asked for within 30 days of receipt.",
            ],
        ),
        (
            ('id = "no_original_box"', 'id = "box_gone"'),
            ["The row 'no_original_box' is gone.", f"{NEW}the original box is gone: decline."],
        ),
        (
            ("used_or_altered = true }", 'used_or_altered = [true, "unknown"] }'),
            [f"The row 'used_or_altered' changes its conditions: {ASKS} becomes {ASKS} or unknown."],
        ),
        ((C2, "They last."), [f"Clause C2 says 'They last.', no longer '{C2}'."]),
        (
            ("min_confidence = 0.80", "min_confidence = 0.90"),
            [
                f"No longer, {GUARD.format('80%')}hand over to a person, with what the row decided.",
                f"Now, {GUARD.format('90%')}hand over to a person, with what the row decided.",
            ],
        ),
    ],
)
def test_what_differs_is_told_in_sentences(change: tuple[str, str], sentences: list[str], edited: Edited) -> None:
    assert list(differences(edited(), edited(change))) == sentences


def test_rows_that_only_changed_places_are_named(edited: Edited, policy_text: str) -> None:
    first, second = (
        policy_text.index('[[row]]\nid = "natural_variation"'),
        policy_text.index('[[row]]\nid = "ring_opening"'),
    )
    third = policy_text.index('[[row]]\nid = "return_window_passed"')
    swapped = policy_text[:first] + policy_text[second:third] + policy_text[first:second] + policy_text[third:]
    assert list(differences(edited(), parse_policy(swapped, ZONE))) == [
        "Rows are asked in another order: ring_opening, natural_variation."
    ]


def test_a_case_that_would_be_decided_otherwise_is_told_with_its_money(edited: Edited, a_form: Build) -> None:
    newer = edited(("return_days = 7 ", "return_days = 3 "))
    change = _change(a_form(), edited(), newer)
    assert (change.case, str(change.before), str(change.after)) == (
        *("RF-000007", "approve_return (return)", "decline (return_window_passed)"),
    )
    assert (str(change.difference), change.difference.currency) == ("-76.70", "USD")
    back = _change(a_form(), newer, edited())
    assert str(back.difference) == "76.70"


def test_a_case_that_is_decided_alike_is_no_change(edited: Edited, a_form: Build) -> None:
    assert _change(a_form(), edited(), edited(("return_days = 7 ", "return_days = 14 "))) is None
    assert _change(a_form(sender="unverified"), edited(), edited(("return_days = 7 ", "return_days = 1 "))) is None


def test_a_sum_alone_that_changes_is_a_change(edited: Edited, a_form: Build) -> None:
    old = 'outcome = "approve_return"\noutbound_shipping = "kept"'
    change = _change(a_form(), edited(), edited((old, old.replace("kept", "refunded"))))
    assert (str(change.before.refund), str(change.after.refund), str(change.difference)) == ("76.70", "82.70", "6.00")


def test_an_order_paid_before_the_policy_applies_never_changes(edited: Edited, a_form: Build) -> None:
    strict = ("return_days = 7 ", "return_days = 3 ")
    assert _change(a_form(), edited(), edited(strict, applies_from="2026-03-02")) is None
    assert _change(a_form(), edited(), edited(strict, applies_from="2026-03-01")) is not None


def test_the_shipped_policy_is_below_every_german_floor_but_how_fast_it_pays(edited: Edited) -> None:
    measures = {warned.floor.measure for warned in lint_policy(edited(), "de")}
    assert measures == {
        *("return_days", "guarantee_months", "dispatch_days", "outbound_shipping", "transaction_fee"),
        *("used_goods", "original_box"),
    }


def test_a_country_with_a_longer_guarantee_than_its_union_is_warned_of_both(edited: Edited) -> None:
    two_years = edited(("guarantee_months = 3 ", "guarantee_months = 24 "))
    warned = [one.floor.least for one in lint_policy(two_years, "ES") if one.floor.measure == "guarantee_months"]
    assert warned == [36]
    assert [one.floor.measure for one in lint_policy(two_years, "DE")].count("guarantee_months") == 0


def test_a_policy_that_keeps_to_the_floors_is_warned_of_nothing(policy_text: str) -> None:
    file = policy_text
    for old, new in (
        ("return_days = 7 ", "return_days = 14 "),
        ("guarantee_months = 3 ", "guarantee_months = 72 "),
        ("limit_days = 7", "limit_days = 14"),
        ('"kept"', '"refunded"'),
        ('"by_rule"', '"shop"'),
    ):
        file = file.replace(old, new)
    for rule in ("used_or_altered", "no_original_box"):
        start = file.index(f'[[row]]\nid = "{rule}"')
        file = file[:start] + file[file.index("[[row]]", start + 1) :]
    policy = parse_policy(file, ZONE)
    assert lint_policy(policy, "DE") == lint_policy(policy, "GB") == []


def test_a_refund_that_may_take_weeks_is_warned_of(edited: Edited) -> None:
    slow = edited(("refund = { due_hours = 24, limit_hours = 48 }", "refund = { due_hours = 24, limit_hours = 337 }"))
    assert "refund_hours" in {warned.floor.measure for warned in lint_policy(slow, "FR")}


def test_a_country_that_nothing_is_known_of_is_refused(edited: Edited) -> None:
    with pytest.raises(InputError, match="--country 'XX': nothing is known of it; known are AT, BE, "):
        lint_policy(edited(), "XX")


def test_every_condition_can_be_told_in_words(edited: Edited) -> None:
    for conditions in (OF_FACTS, OF_DRAFTS):
        for name, (ask, answers) in conditions.items():
            for answer in answers or ("paypal",):
                told = phrase(RuleTest(rule="r", condition=name, ask=ask, wanted=(answer,)), edited().terms)
                assert told.strip(), (name, answer)


def test_the_page_to_publish_is_the_one_that_was_read_over(edited: Edited) -> None:
    """``published.md`` was read over as a shop would publish it; change it with the policy."""
    assert markdown_page(edited(), "Aurelia & Wren") == Path(__file__).with_name("published.md").read_text("utf-8")


def test_the_page_to_publish_shows_every_sign_and_what_a_policy_may_leave_out(edited: Edited, policy_text: str) -> None:
    table = policy_text[policy_text.index("[auto_approve_limit]") : policy_text.index("[reasons]")]
    page = markdown_page(edited((table, "[auto_approve_limit]\n\n"), applies_from="2026-03-05"), "Ring & <Co>")
    assert page.startswith(
        "# After-sales policy of Ring & \\<Co\\>\n\n- It holds for orders paid from 2026-03-05 on.\n- An order can"
    )
    assert "- Every cancellation is approved by a person.\n" in page


def test_two_policies_that_begin_on_one_day_are_refused_with_that_day(edited: Edited) -> None:
    days = ("2026-05-01", "2026-03-01", "2026-03-01", None)
    with pytest.raises(PolicyError, match="two policies with applies_from = 2026-03-01"):
        in_order([edited(applies_from=day) for day in days])
    with pytest.raises(PolicyError, match="two policies without applies_from"):
        in_order([edited(), edited(applies_from="2026-05-01"), edited()])
    with pytest.raises(PolicyError, match="applies_from = 2026-03-01, and no earlier policy"):
        in_order([edited(applies_from=day) for day in days[:2]])


def test_a_clause_that_comes_or_goes_is_told(edited: Edited) -> None:
    more = edited((f'C2 = "{C2}"', f'C2 = "{C2}"\nC2b = "Gold does not tarnish."'))
    assert list(differences(edited(), more)) == ["Clause C2b is new: Gold does not tarnish."]
    assert list(differences(more, edited())) == ["Clause C2b is gone; it said: Gold does not tarnish."]


def test_a_floor_is_kept_by_what_equals_it(edited: Edited) -> None:
    def measures(*changes: tuple[str, str]) -> set[str]:
        return {warned.floor.measure for warned in lint_policy(edited(*changes), "DE")}

    refund = "refund = { due_hours = 24, limit_hours = 48 }"
    assert "refund_hours" not in measures((refund, refund.replace("48", "336")))
    assert "refund_hours" in measures((refund, refund.replace("48", "337")))
    kept = 'outcome = "approve_return"\noutbound_shipping = "kept"'
    assert "outbound_shipping" not in measures((kept, kept.replace("kept", "refunded")))


@pytest.mark.parametrize(
    ("name", "accepted"), [("", False), ("x", True), ("x" * 200, True), ("x" * 201, False), ("a\u2028b", False)]
)
def test_an_example_s_name_has_1_to_200_printable_characters(name: str, accepted: bool, policy_text: str) -> None:  # noqa: FBT001 (a row)
    text = f'{policy_text}\n[[example]]\nname = "{name}"\nlike = "used"\noutcome = "decline"\n'
    if accepted:
        assert parse_policy(text, ZONE).examples[-1].name == name
    else:
        with pytest.raises(PolicyError, match="needs a name of its own"):
            parse_policy(text, ZONE)


@pytest.mark.parametrize("examples", ["example = 5", "example = [5]", 'example = ["used", {}]'])
def test_examples_that_are_no_tables_are_refused(examples: str) -> None:
    with pytest.raises(PolicyError, match=r"\[\[example\]\] must be tables"):
        read_examples(tomllib.loads(examples))


@pytest.mark.parametrize(
    ("example", "place", "says"),
    [
        ("", "example None", "needs a name of its own"),
        ('name = "used"', "example 'used'", "needs a name of its own"),
        ('name = "x"\nlike = "nobody"', "example 'x'", "is like 'nobody', which no example before it"),
        ('name = "x"\nlike = "used"\nwhy = 1', "example 'x'", "unknown key 'why'"),
        ('name = "x"\nlike = "used"', "example 'x'", "outcome is missing"),
        ('name = "x"\nlike = "used"\noutcome = "declined"', "example 'x'", "outcome 'declined' is none of"),
        ('name = "x"\nlike = "used"\noutcome = "decline"\nrefund = 1.5', "example 'x'", "refund = 1.5 is no text"),
        ('name = "x"\nlike = "used"\noutcome = "decline"\nfacts = 1', "example 'x'", "facts must be a table"),
        (
            'name = "x"\nlike = "used"\noutcome = "decline"\nfacts.claim.reason = "bored"',
            *("example 'x'", "facts.claim.reason: 'bored' is none of"),
        ),
    ],
)
def test_a_wrong_example_is_refused_by_its_name(example: str, place: str, says: str, policy_text: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parse_policy(f"{policy_text}\n[[example]]\n{example}\n", ZONE)
    assert refused.value.place.replace("'None'", "None") == place or says in str(refused.value)
    assert says in refused.value.problem
