"""The section of the shop's identity provider, by which people come in to the console."""

from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from mailbot.settings.values import Section, WebAddress, is_loopback, read_secret


class SignIn(Section):
    """``[sign_in]``: the shop's identity provider (OpenID Connect); without an issuer, people have passwords only."""

    issuer: WebAddress = ""
    client_id: str = Field(default="", max_length=200)
    client_secret_env: str = ""
    label: str = Field(default="your work account", min_length=1, max_length=60)
    scope: str = Field(default="openid email", pattern=r"^openid( [!-~]+)*$")
    claim: str = Field(default="email", min_length=1)
    group: str = ""
    group_claim: str = Field(default="groups", min_length=1)

    @model_validator(mode="after")
    def _is_reached_safely(self) -> Self:
        parts = urlsplit(self.issuer)
        if self.issuer and (not parts.hostname or parts.query or parts.fragment):
            raise ValueError(f"issuer {self.issuer} is no address of a provider, such as https://login.shop.example")
        if self.issuer and parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise ValueError(f"issuer {self.issuer} could be anybody's; write https://")
        if self.issuer and not self.client_id:
            raise ValueError("issuer without client_id; register mailbot with the provider and write its id here")
        return self

    def client_secret(self) -> str:
        """Read mailbot's own secret at the provider now; empty for a public client.

        Raises:
            SecretError: it is not where the configuration says.
        """
        return read_secret(self.client_secret_env) if self.client_secret_env else ""
