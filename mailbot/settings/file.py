"""``config.toml`` and ``MAILBOT_*`` variables -> ``Settings``; also where templates/ and migrations/ lie."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mailbot.errors import InputError
from mailbot.settings.sections import Settings

EXAMPLE = "config.example.toml"
_ENV_PREFIX = "MAILBOT_"
_ENV_STEP = "__"
_PACKAGE = Path(__file__).parents[1]


class SettingsError(InputError):
    """The configuration is wrong; one line a fault: where, what, how to mend it."""


def load_settings(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read a configuration file, overridden by ``MAILBOT_SECTION__KEY`` variables.

    Args:
        path: the file (TOML).
        environ: the environment; ``MAILBOT_MAILBOXES__0__HOST`` reaches into a list.

    Raises:
        SettingsError: the file cannot be read, is no TOML, or holds faults: all of them, one line each.
    """
    try:
        form = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise SettingsError(f"{path}: {problem.strerror}; name another with --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{path}: is not TOML: {problem}") from None
    for name, value in sorted(environ.items()):
        if name.startswith(_ENV_PREFIX) and _ENV_STEP in name:
            _override(form, name, value)
    try:
        return Settings.model_validate(_anchored(form, path.parent))
    except ValidationError as faults:
        raise SettingsError("\n".join(_fault(path, fault) for fault in faults.errors())) from None


def find_folder(name: str) -> Path:
    """Where ``templates`` or ``migrations`` lies: inside the installed package, else beside it in a checkout."""
    return _find(name)


def example_settings_path() -> Path:
    """Where the shipped example configuration lies."""
    return _find(EXAMPLE)


def _find(name: str) -> Path:
    packed, beside = _PACKAGE / name, _PACKAGE.parent / name
    return packed if packed.exists() else beside


def _override(form: dict[str, Any], name: str, value: str) -> None:
    *steps, last = name.removeprefix(_ENV_PREFIX).lower().split(_ENV_STEP)
    place: Any = form
    for step, following in zip(steps, [*steps[1:], last], strict=True):
        place = _stepped(place, name, step, [] if following.isdigit() else {})
    if isinstance(place, list):
        raise SettingsError(f"{name}: names a whole list entry; name one of its keys")
    place[last] = _listed(value) if value.lstrip().startswith("[") else value


def _stepped(place: Any, name: str, step: str, empty: dict[str, Any] | list[Any]) -> Any:
    if isinstance(place, list):
        at = int(step) if step.isdigit() else -1
        if not 0 <= at <= len(place):
            raise SettingsError(f"{name}: there is no entry {step!r}; the list has {len(place)}, counted from 0")
        if at == len(place):
            place.append(empty)
        return place[at]
    if not isinstance(place, dict):
        raise SettingsError(f"{name}: {step!r} lies inside a plain value; see {EXAMPLE} for the keys")
    return place.setdefault(step, empty)


def _listed(value: str) -> Any:
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return value


def _anchored(form: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The form with relative files made to start at the configuration's own folder."""
    database, policy = form.get("database"), form.get("policy")
    if isinstance(database, dict) and isinstance(url := database.get("url"), str):
        match = re.fullmatch(r"(sqlite(?:\+[a-z]+)?:///)([^/:?][^?]*)(\?.*)?", url)
        if match:
            anchored = f"{match[1]}{(folder / match[2]).resolve()}{match[3] or ''}"
            form = {**form, "database": {**database, "url": anchored}}
    if isinstance(policy, dict) and isinstance(file := policy.get("file"), str) and file:
        policy = {**policy, "file": str(folder / file)}
    if isinstance(policy, dict):
        earlier = policy.get("earlier", [])
        if isinstance(earlier, list) and all(isinstance(file, str) for file in earlier):
            policy = {**policy, "earlier": [str(folder / file) for file in earlier]}
        form = {**form, "policy": policy}
    secrets = form.get("secrets", {})
    if isinstance(secrets, dict) and isinstance(key_file := secrets.get("key_file", "mailbot.key"), str):
        form = {**form, "secrets": {**secrets, "key_file": str(folder / key_file)}}
    for name in ("smtp", "mailboxes"):
        servers = form.get(name)
        if isinstance(servers, list):
            form = {**form, name: [_with_password_file(server, folder) for server in servers]}
        elif servers is not None:
            form = {**form, name: _with_password_file(servers, folder)}
    return form


def _with_password_file(server: Any, folder: Path) -> Any:
    if isinstance(server, dict) and isinstance(file := server.get("password_file"), str) and file:
        return {**server, "password_file": str(folder / file)}
    return server


def _fault(path: Path, fault: Any) -> str:
    place = ".".join(str(step) for step in fault["loc"]) or "file"
    if fault["type"] == "extra_forbidden":
        hint = "write password_env or password_file; a password does not stand in this file"
        text = hint if fault["loc"][-1] == "password" else f"is no known key; {EXAMPLE} has them all"
    elif fault["type"] == "missing":
        text = f"is missing; {EXAMPLE} shows it"
    else:
        text = fault["msg"].removeprefix("Value error, ")
    return f"{path}: {place}: {text}"
