"""A shop that changes its policy: what was decided can be decided again, and what would change is told beforehand."""

import json
from importlib.resources import files
from pathlib import Path

import pytest

from mailbot import bootstrap
from mailbot.cli.main import command
from mailbot.settings import load_settings
from tests.journey.conftest import ShopBuilder
from tests.journey.mails import CANCEL, a_mail, an_invoice, an_order
from tests.journey.shop import Shop

SHIPPED = files("mailbot.policy").joinpath("default.toml").read_text(encoding="utf-8")


@pytest.fixture
def answered(a_shop: ShopBuilder) -> Shop:
    """A shop on SQLite that has approved a cancellation worth 82.70 USD."""
    shop = a_shop()
    shop.sells(an_order(shop.clock.now))
    shop.answers(a_mail(CANCEL, invoice=an_invoice()))
    assert shop.case()["rule"] == "cancel"
    return shop


def _run(shop: Shop, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        command(["--config", str(shop.config), *words])
    return int(ended.value.code or 0), capsys.readouterr().out


def _policy(folder: Path, *changes: tuple[str, str], head: str = "") -> Path:
    text = head + SHIPPED
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "policy.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_decision_made_again_has_the_same_bytes(answered: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = _run(answered, capsys, "case", "replay", "1", "--trace")
    [decided] = answered.case()["decisions"]
    assert (code, out) == (0, json.dumps({**decided["decision"], "trace": decided["trace"]}) + "\n")


def test_a_decision_made_again_follows_the_policy_of_its_time(
    answered: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _run(answered, capsys, "case", "replay", "RF-000001")
    stricter = _policy(tmp_path, ("cancel_days = 2", "cancel_days = 0"))
    stricter.write_text(stricter.read_text(encoding="utf-8").split("\n# Examples:")[0], encoding="utf-8")
    with answered.config.open("a", encoding="utf-8") as config:
        config.write(f'\n[policy]\nfile = "{stricter}"\n')
    assert _run(answered, capsys, "case", "replay", "RF-000001") == before


def test_a_backtest_names_each_case_that_would_change_with_its_money(
    answered: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _policy(
        tmp_path, ("[auto_approve_limit]", '[auto_approve_limit]\nSEK = "1"'), ("cancel_days = 2", "cancel_days = 0")
    )
    code, out = _run(answered, capsys, "policy", "backtest", "--policy", str(file), "--json")
    change = json.loads(out)
    assert (code, change["case"]) == (1, "RF-000001")
    assert [change[side]["outcome"] for side in ("before", "after")] == ["approve_cancellation", "escalate"]
    assert change["difference"] == {"amount": "0.00", "currency": "USD"}
    code, out = _run(answered, capsys, "policy", "backtest", "--policy", str(file))
    assert code == 1
    assert "RF-000001" in out
    assert _run(answered, capsys, "policy", "backtest", "--policy", str(file), "--since", "2999-01-01")[0] == 0


def test_a_backtest_of_the_same_policy_changes_nothing(
    answered: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = _run(answered, capsys, "policy", "backtest", "--policy", str(_policy(tmp_path)))
    assert (code, out) == (0, "Nothing would change.\n")


def test_an_order_bought_under_older_terms_is_decided_by_them(a_shop: ShopBuilder, tmp_path: Path) -> None:
    shop = a_shop()
    _policy(tmp_path).rename(tmp_path / "older.toml")
    _policy(tmp_path, ("cancel_days = 2", "cancel_days = 0"), head="applies_from = 2026-03-10\n")
    text = (tmp_path / "policy.toml").read_text(encoding="utf-8").split("\n# Examples:")[0]
    (tmp_path / "policy.toml").write_text(text, encoding="utf-8")
    with shop.config.open("a", encoding="utf-8") as config:
        config.write(f'\n[policy]\nfile = "{tmp_path}/policy.toml"\nearlier = ["{tmp_path}/older.toml"]\n')
    with bootstrap.open_judgement(load_settings(shop.config, {})) as judgement:
        newer, older = judgement.policies
        booked = an_order(shop.clock.now)
        assert (newer.terms.cancel_days, older.terms.cancel_days) == (0, 2)
        assert judgement.policy_for(booked) is older
        assert judgement.policy_for(None) is judgement.policy is newer
