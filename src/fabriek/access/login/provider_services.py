"""What an installation has for people who come by an identity provider."""

from dataclasses import dataclass

from fabriek.access.login.signing_in import SigningIn


@dataclass(frozen=True, slots=True)
class ByProvider:
    signing_in: SigningIn
