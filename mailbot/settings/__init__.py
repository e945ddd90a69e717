"""``config.toml`` and ``MAILBOT_*`` as frozen ``Settings``. Source: CONTRACT.md, "Configuration"."""

from mailbot.settings.file import example_settings_path, find_folder, load_settings
from mailbot.settings.sections import (
    Console,
    Database,
    Identity,
    MailboxSettings,
    Mode,
    Notify,
    OrdersSettings,
    Secrets,
    Security,
    Settings,
    Shop,
    Smtp,
    Targets,
    Webhook,
    WebhookEvent,
)
from mailbot.settings.sign_in import SignIn
from mailbot.settings.values import SecretError

__all__ = [
    "Console",
    "Database",
    "Identity",
    "MailboxSettings",
    "Mode",
    "Notify",
    "OrdersSettings",
    "SecretError",
    "Secrets",
    "Security",
    "Settings",
    "Shop",
    "SignIn",
    "Smtp",
    "Targets",
    "Webhook",
    "WebhookEvent",
    "example_settings_path",
    "find_folder",
    "load_settings",
]
