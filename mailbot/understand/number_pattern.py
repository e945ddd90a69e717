"""How does the shop's pattern for order numbers read once spaces and hyphens no longer count?"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mailbot.errors import InputError, shown

_LONGEST_PATTERN = 300
_ATOM = re.compile(
    r"""(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])
    | (?P<anchor>\\[bBAZ]|[\^$])
    | (?P<refused>\\[1-9]|\(\?(?!i\)|:|P<\w+>|<?[=!]))
    | (?P<around>\(\?<?[=!])
    | (?P<flag>\(\?i\))
    | (?P<open>\((?:\?(?::|P<\w+>))?)
    | (?P<close>\))
    | (?P<bar>\|)
    | (?P<sign>\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_QUANTITY = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\}|\{,\d+\})[?+]?")
_VARIES = re.compile(r"[*+?]|\{\d*,\d*\}")
_OPEN_END = re.compile(r"(?P<least>[*+]|\{\d*,(?=\}))(?P<lazy>.*)")
_LONGEST_RUN = 100
_MAY_BE_NONE = re.compile(r"[*?]|\{0?,|\{0\}")
_PRINTABLE = [chr(code) for code in range(33, 127) if chr(code) != "-"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SqueezedPattern:
    """The shop's pattern made to match text without spaces and hyphens.

    Attributes:
        exact, original: the pattern as the shop wrote it, minding case and not.
        squeezed: its separators left out, each place kept as an empty group.
        places: group name to the sign that belongs there, and whether the pattern insists on it.
    """

    original: re.Pattern[str]
    exact: re.Pattern[str]
    squeezed: re.Pattern[str]
    places: tuple[tuple[str, str, bool], ...]

    def search(self, squeezed_text: str, start: int) -> re.Match[str] | None:
        """The next match that is not empty, from ``start`` on."""
        return self.squeezed.search(squeezed_text, start)

    def separators(self, match: re.Match[str]) -> frozenset[int]:
        """Where in the squeezed text the pattern has a separator of its own."""
        return frozenset(match.start(name) for name, _, _ in self.places)

    def written(self, match: re.Match[str]) -> str | None:
        """The number as the shop would write it; ``None`` where the original pattern does not accept it at all."""
        places = [place for place in self.places if match.start(place[0]) >= 0]
        usual = [(match.start(name), sign) for name, sign, must in places if must or sign == "-"]
        needed = [(match.start(name), sign) for name, sign, must in places if must]
        for separators in (usual, needed, []):
            number = _with_separators(match, separators)
            for form in (number.upper(), number.lower(), number):
                if self.exact.fullmatch(form):
                    return form
            if self.original.fullmatch(number):
                return number.upper()
        return None


def squeeze_pattern(pattern: str) -> SqueezedPattern:
    """Rewrite the pattern: separators become optional places, anchors and look-arounds go.

    What goes is not lost: ``written`` holds every number against the original pattern.

    Raises:
        InputError: see ``compile_order_numbers``.
    """
    if len(pattern) > _LONGEST_PATTERN:
        raise InputError(f"order_number is {len(pattern)} characters long; use at most {_LONGEST_PATTERN}")
    try:
        exact, original = re.compile(pattern), re.compile(pattern, re.IGNORECASE)
    except (re.error, RecursionError, OverflowError) as problem:
        raise _refusal(pattern, f"is no regular expression: {problem}") from None
    places: list[tuple[str, str, bool]] = []
    squeezed = re.compile("".join(_rewritten(pattern, places)), re.IGNORECASE)
    if squeezed.fullmatch("") or original.fullmatch(""):
        raise _refusal(pattern, "also matches nothing at all; name at least one letter or digit")
    return SqueezedPattern(original=original, exact=exact, squeezed=squeezed, places=tuple(places))


def _rewritten(pattern: str, places: list[tuple[str, str, bool]]) -> Iterator[str]:
    at, opened, varies = 0, [], [False]
    while at < len(pattern):
        atom = _ATOM.match(pattern, at)
        kind = atom.lastgroup if atom else "refused"
        if atom is None or kind == "refused":
            raise _refusal(
                pattern, f"has {shown(pattern[at : at + 4])}, which cannot be matched without its separators"
            )
        if kind == "around":
            at = _end_of_group(pattern, atom.end())
            continue
        quantity = _QUANTITY.match(pattern, atom.end())
        at, times = (quantity.end(), quantity[0]) if quantity else (atom.end(), "")
        if kind == "open":
            opened.append(len(places))
            varies.append(False)
        elif kind == "close":
            holds_separator, inside = any(must for _, _, must in places[opened.pop() :]), varies.pop()
            if holds_separator and times not in {"", "?"}:
                raise _refusal(pattern, "repeats a group that holds a separator; write the group out")
            if inside and _VARIES.match(times) and not times.startswith("?"):
                raise _refusal(
                    pattern, "repeats a group that repeats or chooses, so that a mail could keep it busy; write it out"
                )
            varies[-1] |= inside
        varies[-1] |= kind == "bar" or _VARIES.match(times) is not None
        separator = _separator(atom[0]) if kind in {"set", "sign"} else None
        if separator is not None:
            yield _place(atom[0], times, separator, places)
        elif kind not in {"anchor", "flag"}:
            yield atom[0] + _ended(times)


def _ended(times: str) -> str:
    """A quantity without end, ended: text is searched in time that grows with its length, and no number is longer."""
    open_end = _OPEN_END.match(times)
    if open_end is None:
        return times
    least = {"*": "0", "+": "1"}.get(open_end["least"], open_end["least"].strip("{,") or "0")
    return f"{{{least},{max(int(least), _LONGEST_RUN)}}}{open_end['lazy'].lstrip('}')}"


def _place(atom: str, times: str, separator: str, places: list[tuple[str, str, bool]]) -> str:
    name = f"place{len(places)}"
    places.append((name, separator, not _MAY_BE_NONE.match(times)))
    other_signs = any(re.fullmatch(atom, sign, re.IGNORECASE) for sign in _PRINTABLE)
    return f"(?P<{name}>)" if not other_signs else f"(?:(?:{atom}){times or ''}|)(?P<{name}>)"


def _separator(atom: str) -> str | None:
    r"""The separator that one sign or set stands for: ``-`` for ``[- ]``, a space for ``\s``, else ``None``."""
    if any(re.fullmatch(atom, sign) for sign in "aA0"):
        return None
    return next((sign for sign in "- " if re.fullmatch(atom, sign)), None)


def _end_of_group(pattern: str, at: int) -> int:
    depth = 1
    while depth:
        atom = _ATOM.match(pattern, at)
        if atom is None:  # cannot be: the pattern compiles, so its brackets are even
            return len(pattern)
        depth += {"open": 1, "around": 1, "close": -1}.get(atom.lastgroup or "", 0)
        at = atom.end()
    return at


def _with_separators(match: re.Match[str], separators: list[tuple[int, str]]) -> str:
    number = match[0]
    for place, sign in reversed(separators):
        number = number[: place - match.start()] + sign + number[place - match.start() :]
    return number.strip(" -")


def _refusal(pattern: str, problem: str) -> InputError:
    return InputError(f"order_number {shown(pattern)} {problem}")
