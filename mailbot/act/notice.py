"""What operators are told when promises become due or are broken: case numbers and times, nothing of a customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import escape

from mailbot.act.reply import Reply
from mailbot.model.case import ClockLevel

_MOST_LISTED = 50
_TITLES = {ClockLevel.LIMIT: "Past the limit: the promise is broken", ClockLevel.DUE: "Due now"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One level of one clock that has just come."""

    case_number: str
    kind: str
    level: str
    due_at: datetime


def write_notice(due: Sequence[Due], zone: ZoneInfo) -> Reply:
    """Write one notice about all of them, the broken promises first.

    Source: POLICY.md, Deadlines: due-soon and breached cases notify the operators once each.
    """
    broken = sum(item.level == ClockLevel.LIMIT for item in due)
    subject = f"mailbot: {len(due) - broken} promises due, {broken} broken"
    lines = []
    for level, title in _TITLES.items():
        listed = [item for item in due if item.level == level]
        if listed:
            lines += [title, *(_line(item, zone) for item in listed[:_MOST_LISTED])]
            if len(listed) > _MOST_LISTED:
                lines.append(f"  and {len(listed) - _MOST_LISTED} more")
            lines.append("")
    lines.append("mailbot case list shows them all, the next one due first.")
    return _reply(subject, lines)


def write_alarm(alarms: Sequence[str]) -> Reply:
    """Write to operators that mailbot itself does not do what it should, one sentence each. Source: P7."""
    more = "mailbot doctor and mailbot db check say more."
    return _reply(f"mailbot: {len(alarms)} alarm{'s' * (len(alarms) > 1)}", [*alarms, "", more])


def _reply(subject: str, lines: Sequence[str]) -> Reply:
    text = "\n".join(lines)
    html = f'<!doctype html><html lang="en"><meta charset="utf-8"><pre>{escape(text)}</pre></html>'
    return Reply(template="notice", language="en", subject=subject, text=text + "\n", html=html)


def _line(item: Due, zone: ZoneInfo) -> str:
    return f"  {item.case_number}  {item.kind} by {item.due_at.astimezone(zone):%a %d %b %Y %H:%M %Z}"
