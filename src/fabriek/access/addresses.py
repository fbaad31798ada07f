"""An address of mail: the one form in which it is kept and compared, so that no two that look alike are one, and no one is two."""

import re

from fabriek.kernel.errors import InvalidInput

LENGTH_MAX = 254
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?|localhost")
"""`localhost`: who started a factory for themselves alone."""


def address_of(said: str) -> str:
    """The address in the form that is kept: lower case, nothing around it. A `+` stays: it is another mailbox wherever nobody says otherwise.

    Raises InvalidInput on letters beyond ASCII: of two that look the same one would open the other's door, and some become plain ones when
    they are made small. A domain of other letters is written as its `xn--` form.
    """
    address = said.strip()
    if not address.isascii():
        raise InvalidInput(
            "an address of mail is written in plain letters", fix="write its domain as it stands in DNS: xn--…"
        )
    address = address.lower()
    local, _, domain = address.rpartition("@")
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    if len(address) > LENGTH_MAX or dots or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise InvalidInput("that is not an address of mail", fix="write it as somebody@example.org")
    return address
