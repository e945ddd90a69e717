"""Who works at the console, and what each may do; what is not granted here is denied."""

from enum import StrEnum


class Permission(StrEnum):
    """What a page or an action asks of a person."""

    LOOK = "look"
    WORK = "work"
    APPROVE = "approve"
    EDIT_POLICY = "edit_policy"
    ADMINISTER = "administer"


class Role(StrEnum):
    """What a person is to the shop. Source: RELIABILITY.md, "Console"."""

    VIEWER = "viewer"
    AGENT = "agent"
    APPROVER = "approver"
    POLICY_EDITOR = "policy_editor"
    ADMIN = "admin"


GRANTS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.LOOK}),
    Role.AGENT: frozenset({Permission.LOOK, Permission.WORK}),
    Role.APPROVER: frozenset({Permission.LOOK, Permission.WORK, Permission.APPROVE}),
    Role.POLICY_EDITOR: frozenset({Permission.LOOK, Permission.EDIT_POLICY}),
    Role.ADMIN: frozenset(Permission),
}
"""An agent answers and declines; whatever lets money go back takes an approver."""
