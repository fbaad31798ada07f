"""What is known of a kind of identity provider: whom its words name, and what they count for. Profiles are data; an operator may override a line.

Nothing that a provider says of groups or rights gives a role here: there is no line for it.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any, get_origin

from fabriek.access.addresses import address_of
from fabriek.access.login.id_tokens import refused
from fabriek.kernel.dated import shipped
from fabriek.kernel.errors import InvalidInput

NAMES = ("sram", "myaccessid", "eherkenning", "generic")
TEXT_CHARACTERS_MAX = 200
SUBJECT_CHARACTERS_MAX = 255


@dataclass(frozen=True, slots=True)
class Profile:
    """`subject_claim`: names the person; `tenant_claim`: for whom they act, part of the key where it is set. Patterns match a value whole.

    `subject_any_case`: capitals make nobody else of a subject; it is read in small letters.
    `email_checked`: `said`: an address counts where `email_verified` says so; `always`: this provider's do; `never`.
    `requires`: what a value of `affiliation_claim` must look like, `*` for anything; a person without one is not let in, and let go.
    `organisation_pattern`: its first group is the name; `organisation_by`: `kvk` where it is a number of the business register, else `name`.
    `strong_acr`: the words for two factors; `ask_acr`: what is asked for where two are needed. `offline`: may be asked again later.
    """

    title: str = ""
    issuer: str = ""
    scopes: tuple[str, ...] = ("openid",)
    offline: bool = False
    subject_claim: str = "sub"
    subject_pattern: str = ".+"
    subject_any_case: bool = False
    refused_subjects: tuple[str, ...] = ()
    tenant_claim: str = ""
    tenant_pattern: str = ".+"
    name_claim: str = "name"
    email_claim: str = "email"
    email_checked: str = "said"
    affiliation_claim: str = ""
    requires: str = ""
    organisation_claim: str = ""
    organisation_pattern: str = "(.+)"
    organisation_by: str = "name"
    organisation_kind: str = "company"
    organisation_country: str = "NL"
    assurance_claim: str = ""
    strong_acr: tuple[str, ...] = ()
    ask_acr: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Described:
    """Whom a provider describes. `email` is empty where nobody checked it; it names nobody, and is never a key."""

    subject: str
    tenant: str
    name: str
    email: str
    organisation: str
    affiliations: tuple[str, ...]
    assurance: tuple[str, ...]
    acr: str
    strong: bool


def profile_of(name: str, overrides: Mapping[str, Any]) -> Profile:
    """A profile that comes with us, with an operator's lines over it. Raises InvalidInput."""
    if name not in NAMES:
        raise InvalidInput(f"there is no profile {name!r}", fix=f"one of {', '.join(NAMES)}")
    return _read(tomllib.loads(shipped("fabriek.access.login", f"{name}.toml")) | dict(overrides), name)


def described(profile: Profile, claims: Mapping[str, Any]) -> Described:
    """What the claims say, read by the profile. Raises NotPermitted on a subject or tenant that names nobody here."""
    subject, tenant = subject_of(profile, claims), _text(claims.get(profile.tenant_claim))
    if not re.fullmatch(profile.subject_pattern, subject) or len(subject) > SUBJECT_CHARACTERS_MAX:
        raise refused("subject", "the provider names nobody in the way that it should")
    if any(re.fullmatch(pattern, subject) for pattern in profile.refused_subjects):
        raise refused("subject", "this account is one for trying out")
    if profile.tenant_claim and not re.fullmatch(profile.tenant_pattern, tenant):
        raise refused("tenant", "the provider does not say for which organisation you act")
    acr = _text(claims.get("acr"))
    return Described(
        subject, tenant if profile.tenant_claim else "", _name(claims.get(profile.name_claim)), _email(profile, claims),
        _organisation(profile, claims), affiliations_of(profile, claims), _texts(claims.get(profile.assurance_claim)),
        acr, acr in profile.strong_acr,
    )  # fmt: skip


def subject_of(profile: Profile, claims: Mapping[str, Any]) -> str:
    """Whom the claims name, as it is kept; empty where they name nobody."""
    said = _text(claims.get(profile.subject_claim))
    return said.lower() if profile.subject_any_case else said


def is_affiliated(profile: Profile, affiliations: Sequence[str]) -> bool:
    """Whether they still are what this factory lets in."""
    return not profile.requires or any(fnmatchcase(one, profile.requires) for one in affiliations)


def affiliations_of(profile: Profile, claims: Mapping[str, Any]) -> tuple[str, ...]:
    return _texts(claims.get(profile.affiliation_claim))


def _read(values: Mapping[str, Any], name: str) -> Profile:
    known = {entry.name: entry for entry in fields(Profile)}
    given: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            raise InvalidInput(f"the profile {name} has no line {key!r}", fix=f"one of {', '.join(sorted(known))}")
        wanted = tuple if get_origin(known[key].type) is tuple else known[key].type
        if wanted is tuple:
            if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
                raise InvalidInput(f"{key} of {name} is a list of texts", fix=f'{key} = ["…"]')
            given[key] = tuple(value)
        elif type(value) is not wanted:
            raise InvalidInput(f"{key} of {name} is not what it should be", fix="see docs/howto/providers.md")
        else:
            given[key] = value
    made = Profile(**given)
    for pattern in (
        made.subject_pattern,
        made.tenant_pattern,
        made.organisation_pattern,
        *made.refused_subjects,
    ):
        try:
            re.compile(pattern)
        except re.error as slip:
            raise InvalidInput(f"{pattern!r} of {name} is no pattern: {slip}", fix="correct it") from None
    if made.requires and not made.affiliation_claim:
        raise InvalidInput(f"{name} requires {made.requires!r} of no claim", fix="name it in affiliation_claim")
    if made.email_checked not in {"said", "always", "never"} or made.organisation_by not in {"name", "kvk"}:
        raise InvalidInput(
            f"{name}: email_checked is said, always or never; organisation_by is name or kvk", fix="correct it"
        )
    return made


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    """Many-valued claims come as a list, and as one text where there is one."""
    values = value if isinstance(value, list) else [value]
    return tuple(one for one in values if isinstance(one, str) and one)


def _name(value: object) -> str:
    shown = "".join(char for char in _text(value) if char.isprintable()).strip()
    return shown[:TEXT_CHARACTERS_MAX] or "(no name given)"


def _email(profile: Profile, claims: Mapping[str, Any]) -> str:
    checked = profile.email_checked == "always" or (
        profile.email_checked == "said" and claims.get("email_verified") is True
    )
    try:
        return address_of(_text(claims.get(profile.email_claim))) if checked else ""
    except InvalidInput:  # one that could look like another's is none
        return ""


def _organisation(profile: Profile, claims: Mapping[str, Any]) -> str:
    """The first of those named, in the order of the alphabet, so that it is the same at each login."""
    named = (re.fullmatch(profile.organisation_pattern, one) for one in _texts(claims.get(profile.organisation_claim)))
    return min((found[1][:TEXT_CHARACTERS_MAX] for found in named if found), default="")
