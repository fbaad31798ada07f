"""What an installation has for people who come by an identity provider."""

from dataclasses import dataclass

from fabriek.access.login.affiliations import Affiliations
from fabriek.access.login.device_login import DeviceLogin
from fabriek.access.login.signing_in import SigningIn


@dataclass(frozen=True, slots=True)
class ByProvider:
    signing_in: SigningIn
    devices: DeviceLogin
    affiliations: Affiliations

    def close(self) -> None:
        """The lines to all providers."""
        self.signing_in.close()

    def forget_expired(self) -> None:
        """What was begun and never ended."""
        self.signing_in.forget_expired()
        self.devices.forget_expired()
