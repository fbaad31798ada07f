"""An identity provider of this factory: who it is, what it knows us by, and whom it lets in. The operator names them in a file."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fabriek.access.login.profiles import Profile, profile_of
from fabriek.kernel.errors import InvalidInput

LOOPBACK = ("127.0.0.1", "::1", "localhost")
_OURS = frozenset({"profile", "issuer", "title", "client_id", "client_secret_file", "admits", "organisations"})


class Admits(StrEnum):
    """`invited`: people who are here already and whom this account was linked to. `anyone`: whoever the claims name an organisation of."""

    INVITED = "invited"
    ANYONE = "anyone"


@dataclass(frozen=True, slots=True)
class Provider:
    """`name` stands in addresses, `title` on buttons. `secret`: reads the client's secret each time; None for a public client.

    `organisations`: the word of a claim → the slug of an organisation that is here, where the operator says which is meant.
    """

    name: str
    title: str
    issuer: str
    client_id: str
    profile: Profile
    admits: Admits = Admits.INVITED
    secret: Callable[[], str] | None = field(default=None, repr=False)
    organisations: Mapping[str, str] = field(default_factory=dict)


def read_providers(file: Path | None) -> tuple[Provider, ...]:
    """Those of a TOML file, `[NAME]` with its lines, in the order of the file. Raises InvalidInput naming what is wrong."""
    if file is None:
        return ()
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeError) as error:
        raise InvalidInput(f"{file} cannot be read: {type(error).__name__}", fix="correct identity_providers") from None
    except tomllib.TOMLDecodeError as slip:
        raise InvalidInput(f"{file} is not TOML: {slip}", fix=f"correct {file}") from None
    return tuple(_provider(name, lines, file) for name, lines in tables.items())


def is_private(url: str) -> bool:
    """Whether nobody between here and there can read along."""
    at = urlsplit(url)
    return (at.scheme == "https" and bool(at.hostname)) or (at.scheme == "http" and at.hostname in LOOPBACK)


def _provider(name: str, lines: Any, file: Path) -> Provider:
    if not isinstance(lines, dict) or not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name):
        raise InvalidInput(f"{file} begins a provider with [NAME], in lower case", fix=f"correct {name!r}")
    profile = profile_of(str(lines.get("profile", "generic")), {k: v for k, v in lines.items() if k not in _OURS})
    issuer, client = str(lines.get("issuer", profile.issuer)), str(lines.get("client_id", ""))
    if not client or not is_private(issuer):
        raise InvalidInput(f"[{name}] needs a client_id, and an issuer that is https://…", fix=f"correct {file}")
    try:
        admits = Admits(lines.get("admits", "invited"))
    except ValueError:
        raise InvalidInput(f"[{name}] admits invited or anyone", fix=f"correct {file}") from None
    if admits is Admits.ANYONE and not profile.organisation_claim:
        raise InvalidInput(f"[{name}] admits anyone of no organisation", fix="set its organisation_claim")
    given = lines.get("client_secret_file")
    secret = _kept_in(file.parent / str(given), name) if given else None
    mapped = lines.get("organisations", {})
    if not isinstance(mapped, dict) or not all(isinstance(one, str) for one in mapped.values()):
        raise InvalidInput(
            f"[{name}] organisations map words to slugs", fix='organisations = { "uni.example" = "uni" }'
        )
    title = str(lines.get("title", profile.title))
    return Provider(name, title, issuer, client, profile, admits, secret, mapped)


def _kept_in(file: Path, name: str) -> Callable[[], str]:
    def read() -> str:
        try:
            return file.read_text("utf-8").strip()
        except (OSError, UnicodeError) as error:
            raise InvalidInput(
                f"the client secret of {name} cannot be read: {type(error).__name__}", fix="correct client_secret_file"
            ) from None

    return read
