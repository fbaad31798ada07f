"""Profiles of providers: whom their words name, what counts as two factors, and files of operators that cannot be right."""

from pathlib import Path
from typing import Any

import pytest

from fabriek.access.login.devices import ALPHABET, read_user_code, user_code_of
from fabriek.access.login.profiles import NAMES, affiliations_of, described, is_affiliated, profile_of
from fabriek.access.login.providers import read_providers
from fabriek.kernel.errors import InvalidInput, NotPermitted

ACTING, BODY = "urn:etoegang:core:ActingSubjectID", "urn:etoegang:1.9:EntityConcernedID:KvKnr"
MFA = "https://refeds.org/profile/mfa"


@pytest.mark.parametrize("name", NAMES)
def test_every_profile_that_comes_with_us_can_be_read(name: str) -> None:
    profile = profile_of(name, {})
    assert "openid" in profile.scopes
    assert set(profile.ask_acr) <= set(profile.strong_acr)


def test_sram_names_people_by_its_hash_and_lets_in_who_has_an_entitlement_of_it() -> None:
    profile = profile_of("sram", {})
    member = {
        "sub": "0abc@sram.surf.nl",
        "eduperson_entitlement": ["urn:mace:surf.nl:sram:group:uni:lab", "x"],
        "acr": MFA,
    }
    found = described(profile, member)
    assert (found.organisation, found.strong, is_affiliated(profile, found.affiliations)) == ("uni", True, True)
    stranger = {"sub": "0abc@sram.surf.nl", "eduperson_entitlement": "urn:mace:surf.nl:another"}
    assert not is_affiliated(profile, affiliations_of(profile, stranger))
    with pytest.raises(NotPermitted):
        described(profile, member | {"sub": "0abc@elsewhere.example"})


@pytest.mark.parametrize(
    "subject",
    [
        "test@myaccessid.org",
        "",
        "a" * 65 + "@myaccessid.org",
        "G@myaccessid.org",
        "TEST@MyAccessID.org",
        "a@b",
        7,
        None,
    ],
)
def test_myaccessid_refuses_what_names_nobody(subject: Any) -> None:
    with pytest.raises(NotPermitted):
        described(profile_of("myaccessid", {}), {"sub": subject})


def test_myaccessid_names_one_person_in_capitals_and_without() -> None:
    """Its own documentation writes the scope with capitals, and has subjects compared without regard to them."""
    profile = profile_of("myaccessid", {})
    names = ("28c5353b8bb34984a8bd4169ba94c606@MyAccessID.org", "28C5353B8BB34984A8BD4169BA94C606@myaccessid.org")
    assert {described(profile, {"sub": one}).subject for one in names} == {names[0].lower()}


def test_eherkenning_names_somebody_for_a_body() -> None:
    profile = profile_of("eherkenning", {})
    found = described(
        profile, {"sub": "s", ACTING: "p", BODY: "12345678", "acr": "urn:etoegang:core:assurance-class:loa2"}
    )
    assert (found.subject, found.tenant, found.organisation, found.strong) == ("p", "12345678", "12345678", False)
    for number in ("1234567", "123456789", "1234567a", "", None, ["12345678"]):
        with pytest.raises(NotPermitted):
            described(profile, {"sub": "s", ACTING: "p", BODY: number})


@pytest.mark.parametrize(
    ("claims", "email"),
    [
        ({"email": "A@x.example", "email_verified": True}, "a@x.example"),
        ({"email": "a@x.example"}, ""),
        ({"email": "a@x.example", "email_verified": "true"}, ""),
        ({"email": "a b@x.example", "email_verified": True}, ""),
        ({"email": ["a@x.example"], "email_verified": True}, ""),
        ({"email": "\u212aees@x.example", "email_verified": True}, ""),  # a Kelvin sign, which would become a k
        ({"email": "a@x..example", "email_verified": True}, ""),
    ],
)
def test_an_address_counts_where_it_was_checked(claims: dict[str, Any], email: str) -> None:
    assert described(profile_of("generic", {}), {"sub": "s", **claims}).email == email


GOOD = '[home]\nissuer = "https://id.example"\nclient_id = "us"\n'


@pytest.mark.parametrize(
    "text",
    [
        "[home",
        "home = 1",
        '[Home]\nissuer = "https://id.example"\nclient_id = "us"',
        '[home]\nissuer = "http://id.example"\nclient_id = "us"',
        '[home]\nissuer = "https://id.example"',
        GOOD + 'profile = "unknown"',
        GOOD + 'admits = "everybody"',
        GOOD + 'admits = "anyone"',
        GOOD + 'scope = ["openid"]',
        GOOD + 'scopes = "openid"',
        GOOD + 'offline = "yes"',
        GOOD + "subject_pattern = '('",
        GOOD + 'requires = "x"',
        GOOD + 'email_checked = "perhaps"',
        GOOD + "organisations = { a = 1 }",
    ],
)
def test_a_file_of_providers_that_cannot_be_right_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "providers.toml"
    file.write_text(text)
    with pytest.raises(InvalidInput) as refused:
        read_providers(file)
    assert refused.value.fix


def test_a_secret_is_read_when_it_is_needed_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "providers.toml").write_text(GOOD + 'client_secret_file = "secret"\n')
    (provider,) = read_providers(tmp_path / "providers.toml")
    assert provider.secret is not None
    with pytest.raises(InvalidInput):
        provider.secret()
    (tmp_path / "secret").write_text("hush\n")
    assert provider.secret() == "hush"
    assert "hush" not in repr(provider)


def test_codes_are_read_as_people_type_them() -> None:
    code = user_code_of(bytes(range(64)))
    assert set(code) <= {*ALPHABET, "-"}
    for typed in (code, code.lower(), code.replace("-", ""), f" {code.replace('-', ' ')} "):
        assert read_user_code(typed) == code
    assert read_user_code("BCDF") == read_user_code("") == ""
