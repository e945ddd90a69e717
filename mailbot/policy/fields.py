"""Fields of the policy file, read strictly: a wrong one is refused by its place, with how to mend it."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from mailbot.errors import InputError, shown

Word = TypeVar("Word", bound=StrEnum)
_MOST_DAYS = 3660


class PolicyError(InputError):
    """The policy file is wrong: ``place`` is the row, guard or table, the text says how to mend it."""

    def __init__(self, place: str, problem: str) -> None:
        """Keep the place apart from what is wrong there."""
        self.place, self.problem = place, problem
        super().__init__(f"policy {place}: {problem}")


class UnknownConditionError(PolicyError):
    """A row or guard asks for a condition that does not exist."""

    def __init__(self, place: str, condition: str, known: Iterable[str]) -> None:
        """Name it, and all there are."""
        self.condition = condition
        super().__init__(place, f"no condition {condition!r}; use {', '.join(known)}")


def refuse_unknown(place: str, form: Mapping[str, Any], known: set[str]) -> None:
    """Refuse a key that the policy file does not have."""
    unknown = sorted(form.keys() - known)
    if unknown:
        raise PolicyError(place, f"unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")


def read(place: str, form: Mapping[str, Any], key: str) -> Any:
    """What stands there, of whatever kind."""
    if key not in form:
        raise PolicyError(place, f"{key} is missing")
    return form[key]


def read_table(place: str, form: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A table, as it stands."""
    table = read(place, form, key)
    if not isinstance(table, dict):
        raise PolicyError(place, f"{key} must be a table")
    return table


def read_tables(file: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """An array of tables, at least one."""
    tables = read("file", file, key)
    if not isinstance(tables, list) or not tables:
        raise PolicyError("file", f"[[{key}]] must stand at least once")
    if not all(isinstance(table, dict) for table in tables):
        raise PolicyError("file", f"[[{key}]] must be tables")
    return tables


def read_name(place: str, form: Mapping[str, Any], key: str) -> str:
    """The name of a row, a guard or a template."""
    name = read(place, form, key)
    if not isinstance(name, str) or not name.isidentifier():
        raise PolicyError(place, f"{key} = {name!r} is not a name of letters, digits and underscores")
    return name


def read_whole(place: str, form: Mapping[str, Any], key: str) -> int:
    """A whole number of days, hours or months."""
    number = read(place, form, key)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= _MOST_DAYS:
        raise PolicyError(place, f"{key} = {shown(number)} is not a whole number from 0 to {_MOST_DAYS}")
    return number


def read_word(place: str, form: Mapping[str, Any], key: str, words: type[Word]) -> Word:
    """One of the trade's words."""
    return _as_word(place, key, read(place, form, key), words)


def read_words(place: str, form: Mapping[str, Any], key: str, words: type[Word]) -> list[Word]:
    """A list of the trade's words."""
    listed = read(place, form, key)
    if not isinstance(listed, list):
        raise PolicyError(place, f"{key} must be a list")
    return [_as_word(place, key, word, words) for word in listed]


def _as_word(place: str, key: str, word: object, words: type[Word]) -> Word:
    try:
        return words(word)  # type: ignore[arg-type]  # whatever is no word of them raises ValueError
    except ValueError:
        raise PolicyError(place, f"{key} {word!r} is none of {', '.join(words)}") from None
