"""What a mailbox signs in with where its provider takes no passwords."""

import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from mailbot import oauth
from mailbot.errors import InputError, PermanentError
from mailbot.oauth import Client, Tokens
from mailbot.settings import Settings, load_settings
from mailbot.steps.access import AccessToken, NotSignedInError, keep_sign_in
from mailbot.store import expiries
from mailbot.store.instance import ensure_schema
from mailbot.store.tables import OAuthTokenRow
from mailbot.store.transaction import open_engine, reading

CLIENT = Client(provider=oauth.GOOGLE, id="mailbot", secret="")
NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
_CONFIG = """
[shop]
name = "Shop"
timezone = "UTC"
currency = "USD"
support_address = "support@shop.example"
order_number = 'AW-\\d{5}'
[database]
url = "sqlite:///mailbot.db"
[[mailboxes]]
name = "support"
host = "imap.shop.example"
username = "support@shop.example"
oauth = "google"
oauth_client_id = "mailbot"
[smtp]
host = "smtp.shop.example"
username = "support@shop.example"
oauth_mailbox = "support"
"""


class Provider:
    """Gives a new access token each time, good for an hour, and a new refresh token where it rotates them."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.rotates, self.refuses = True, False
        self.lasts: int | None = None

    def __call__(self, _client: Client, refresh_token: str) -> Tokens:
        self.asked.append(refresh_token)
        if self.refuses:
            raise PermanentError("sign-in: login.example refuses ('invalid_grant')")
        number = len(self.asked)
        refresh = f"rotated-{number}" if self.rotates else None
        return Tokens(access=f"access-{number}", lasts=3600, refresh=refresh, refresh_lasts=self.lasts)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "config.toml").write_text(_CONFIG, encoding="utf-8")
    return load_settings(tmp_path / "config.toml", {})


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = open_engine(settings.database.url)
    ensure_schema(engine)
    yield engine
    engine.dispose()


def a_token(engine: Engine, settings: Settings, provider: Provider, clock: Callable[[], datetime]) -> AccessToken:
    return AccessToken(engine, settings, "support", lambda: CLIENT, clock=clock, refresh=provider)


def signed_in(engine: Engine, settings: Settings) -> None:
    keep_sign_in(engine, settings, "support", Tokens(access="first", lasts=3600, refresh="refresh-1"), NOW)


def test_a_token_is_asked_for_once_and_again_before_it_ends(engine: Engine, settings: Settings) -> None:
    signed_in(engine, settings)
    provider, times = Provider(), [NOW]
    token = a_token(engine, settings, provider, lambda: times[-1])
    assert (token(), token()) == ("access-1", "access-1")
    times.append(NOW + timedelta(minutes=59))
    assert token() == "access-2"


def test_a_rotated_refresh_token_outlives_the_process(engine: Engine, settings: Settings) -> None:
    signed_in(engine, settings)
    provider = Provider()
    for _ in range(3):
        a_token(engine, settings, provider, lambda: NOW)()
    assert provider.asked == ["refresh-1", "rotated-1", "rotated-2"]


def test_a_provider_that_does_not_rotate_is_asked_with_the_same(engine: Engine, settings: Settings) -> None:
    signed_in(engine, settings)
    provider = Provider()
    provider.rotates = False
    for _ in range(2):
        a_token(engine, settings, provider, lambda: NOW)()
    assert provider.asked == ["refresh-1", "refresh-1"]


def test_the_end_of_a_sign_in_is_known_as_long_as_it_has_one(engine: Engine, settings: Settings) -> None:
    signed_in(engine, settings)
    provider, ends = Provider(), []
    for provider.lasts in (None, 90 * 24 * 3600, 7 * 24 * 3600, None):
        a_token(engine, settings, provider, lambda: NOW)()
        with reading(engine) as session:
            ends.append([(each.what, (each.until - NOW).days) for each in expiries.find_all(session)])
    assert ends == [[], [("sign-in/support", 90)], [("sign-in/support", 7)], []]


@pytest.mark.parametrize("known", [False, True], ids=["nobody signed in", "access withdrawn"])
def test_who_must_sign_in_again_is_told_how(engine: Engine, settings: Settings, *, known: bool) -> None:
    if known:
        signed_in(engine, settings)
    provider = Provider()
    provider.refuses = True
    with pytest.raises(NotSignedInError, match="mailbot auth login support"):
        a_token(engine, settings, provider, lambda: NOW)()


def test_the_database_alone_signs_nobody_in(engine: Engine, settings: Settings) -> None:
    signed_in(engine, settings)
    with reading(engine) as session:
        assert b"refresh-1" not in session.scalars(select(OAuthTokenRow.sealed)).one()
    assert stat.S_IMODE(settings.secrets.key_path.stat().st_mode) == 0o600
    settings.secrets.key_path.unlink()
    with pytest.raises(InputError, match="key_file"):
        a_token(engine, settings, Provider(), lambda: NOW)()


def test_another_key_is_named(engine: Engine, settings: Settings) -> None:
    signed_in(engine, settings)
    key = settings.secrets.key_path
    key.unlink()
    other = settings.model_copy(update={"secrets": settings.secrets})
    keep_sign_in(engine, other, "another", Tokens(access="x", lasts=1, refresh="y"), NOW)
    with pytest.raises(InputError, match="is not the key"):
        a_token(engine, settings, Provider(), lambda: NOW)()


def test_a_sign_in_without_offline_access_is_refused(engine: Engine, settings: Settings) -> None:
    with pytest.raises(PermanentError, match="offline"):
        keep_sign_in(engine, settings, "support", Tokens(access="first", lasts=3600, refresh=None), NOW)


def test_only_secrets_of_the_configuration_end_on_a_day(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(_CONFIG + "[secrets.expires]\nOTHER = 2027-01-01\n", encoding="utf-8")
    with pytest.raises(InputError, match="'OTHER' is no secret of this configuration"):
        load_settings(tmp_path / "config.toml", {})


def test_smtp_may_only_borrow_the_sign_in_of_a_mailbox_that_has_one(tmp_path: Path) -> None:
    text = _CONFIG.replace('oauth_mailbox = "support"', 'oauth_mailbox = "sales"')
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="oauth_mailbox"):
        load_settings(tmp_path / "config.toml", {})
