"""How organisations show that they are one, on both databases: a new firm without a number is no dead end, and nothing can be shown by others."""

from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.access.joining.proofs import kinds, kinds_of
from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound, NotPermitted, WrongState
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def administered(town: Town) -> Caller:
    """The administrator of the organisation `weefsel`."""
    return town.person("weefsel", "organisation_administrator")


def day(town: Town, days: int) -> str:
    return (town.clock.today() + timedelta(days=days)).isoformat()


def test_a_new_firm_shows_its_deed_then_its_number_and_the_history_stays_in_the_log(town: Town) -> None:
    proving, admin = town.services.joining.proving, administered(town)
    assert proving.of_organisation("weefsel", by=admin) is None
    deed = {"deed_on": day(town, -3), "number_by": day(town, 30)}
    shown = proving.prove("weefsel", "in_registration", deed, by=admin)
    assert (shown.kind, shown.due_on) == ("in_registration", town.clock.today() + timedelta(days=30))
    assert proving.due(by=town.operator) == []
    town.clock.move(timedelta(days=30))
    assert proving.due(by=town.operator) == []  # the day itself is still theirs
    town.clock.move(timedelta(days=1))
    assert [(body.slug, one.kind) for body, one in proving.due(by=town.operator)] == [("weefsel", "in_registration")]
    proving.prove("weefsel", "kvk", {"number": " 12345678 "}, by=admin)
    found = proving.of_organisation("weefsel", by=town.person("weefsel"))
    assert found is not None
    assert (found.kind, dict(found.fields)) == ("kvk", {"number": "12345678"})
    assert proving.is_only_stated(found)
    assert town.services.access.organisation("weefsel").kvk == ""
    assert not proving.is_only_stated(proving.prove("weefsel", "kvk", {"number": "12345678"}, by=town.operator))
    assert town.services.access.organisation("weefsel").kvk == "12345678"
    assert proving.due(by=town.operator) == []
    said = repr(town.services.audit.events(by=town.operator, limit=100))
    assert deed["deed_on"] in said
    assert "12345678" in said


def test_no_organisation_takes_a_number_that_is_anothers_and_of_two_at_once_one_gets_it(town: Town) -> None:
    """People arrive by that number: who has it has them, and their work."""
    proving, access, admin = town.services.joining.proving, town.services.access, administered(town)
    access.create_organisation("Hospital", "hospital", "NL", "87654321", by=town.operator)
    for by in (admin, town.operator):
        with pytest.raises(AlreadyExists, match="another organisation has this number"):
            proving.prove("weefsel", "kvk", {"number": "87654321"}, by=by)
    with pytest.raises(AlreadyExists):
        access.create_organisation("Copy", "hospital", "NL", "87654321", by=town.operator)
    assert proving.of_organisation("weefsel", by=admin) is None
    # A number that nobody has yet is stated, and captures nobody.
    proving.prove("weefsel", "kvk", {"number": "11112222"}, by=admin)
    assert [one.slug for one in access.organisations(by=town.operator) if one.kvk == "11112222"] == []
    access.create_organisation("Third", "startup", "NL", by=town.operator)
    act = {"number": "33334444"}
    outcomes = at_once(lambda n: proving.prove(("weefsel", "third")[n], "kvk", act, by=town.operator), times=2)
    assert sorted(isinstance(one, AlreadyExists) for one in outcomes) == [False, True], outcomes


def test_the_name_of_who_declares_stays_out_of_the_log(town: Town) -> None:
    proving, admin = town.services.joining.proving, administered(town)
    proving.prove("weefsel", "declaration", {"name": "Adriaan Unheard", "number_by": day(town, 9)}, by=admin)
    said = repr(town.services.audit.events(by=town.operator, limit=100))
    assert "organisation.proved" in said
    assert "Unheard" not in said


def test_only_its_own_administrators_and_the_installations_show_it_and_others_do_not_see_it(town: Town) -> None:
    proving = town.services.joining.proving
    admin, member = administered(town), town.person("weefsel")
    stranger = town.person("hospital", "organisation_administrator")
    for one in (member, stranger):
        with pytest.raises(NotPermitted):
            proving.prove("weefsel", "kvk", {"number": "12345678"}, by=one)
    assert proving.of_organisation("weefsel", by=admin) is None
    with pytest.raises(NotPermitted):
        proving.of_organisation("weefsel", by=stranger)
    with pytest.raises(NotPermitted):
        proving.due(by=admin)
    with pytest.raises(NotPermitted, match="a part"):
        proving.prove(
            "weefsel",
            "kvk",
            {"number": "1"},
            by=Caller(admin.person, admin.organisation, rights=admin.rights, narrowed=True),
        )
    assert proving.prove("weefsel", "kvk", {"number": "12345678"}, by=town.operator).kind == "kvk"
    with pytest.raises(NotFound):
        proving.prove("nobody", "kvk", {"number": "12345678"}, by=town.operator)


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("kvk", "number", "1234567"), ("kvk", "number", "१२३४५६७८"), ("kvk", "number", ""), ("kvk", "number", "12345678\n9"),
        ("in_registration", "deed_on", "soon"), ("in_registration", "deed_on", "2999-01-01"),
        ("in_registration", "number_by", "2020-01-01"), ("in_registration", "number_by", "2999-01-01"),
        ("foreign_register", "country", "Germany"), ("foreign_register", "register", "x\x1b[31m y"), ("foreign_register", "number", "'; --"),
        ("vat", "number", "123"), ("declaration", "name", " "), ("declaration", "name", "\u202eevil"),
    ],
)  # fmt: skip
def test_bad_input_names_the_field_and_gives_an_example(town: Town, kind: str, field: str, value: str) -> None:
    admin = administered(town)
    good = {
        "kvk": {"number": "12345678"},
        "in_registration": {"deed_on": day(town, 0), "number_by": day(town, 1)},
        "vat": {"number": "NL123456789B01"},
        "foreign_register": {"country": "DE", "register": "Handelsregister Aachen", "number": "DER3306.HRB1"},
        "declaration": {"name": "A. de Vries", "number_by": day(town, 1)},
    }[kind]  # fmt: skip
    town.services.joining.proving.prove("weefsel", kind, good, by=admin)
    with pytest.raises(InvalidInput, match=field) as refused:
        town.services.joining.proving.prove("weefsel", kind, good | {field: value}, by=admin)
    assert refused.value.fix
    assert "\x1b" not in refused.value.detail


def test_unknown_kinds_and_fields_are_named(town: Town) -> None:
    proving, admin = town.services.joining.proving, administered(town)
    with pytest.raises(InvalidInput, match="not a kind") as kind:
        proving.prove("weefsel", "passport", {}, by=admin)
    assert "in_registration" in kind.value.fix
    with pytest.raises(InvalidInput, match="no field 'nummer'"):
        proving.prove("weefsel", "kvk", {"nummer": "12345678"}, by=admin)


def test_a_slip_in_the_data_is_told_with_its_row() -> None:
    row = '[[proof]]\nname = "x"\nhelp = {nl = "x", en = "x"}\nsource = "x"\nvalid_from = 2026-01-01\n'
    with pytest.raises(InvalidInput, match="number 1 lacks 'fields'"):
        kinds_of(row)
    with pytest.raises(InvalidInput, match="neither a text"):
        kinds_of(row + 'fields = [{name = "a", kind = "text", example = "1", nl = "a", en = "a"}]')
    with pytest.raises(InvalidInput, match="no day among"):
        kinds_of(row + 'follows = "b"\nfields = [{name = "a", kind = "date", example = "1", nl = "a", en = "a"}]')
    assert {"kvk", "in_registration", "foreign_register", "vat", "declaration"} == kinds().keys()


def test_the_last_lead_is_not_made_a_member(town: Town) -> None:
    access, lead = town.services.access, town.person("weefsel")
    slug = town.project(lead)
    second = town.person("weefsel")
    access.add_member(slug, second.person, "lead", by=town.again(lead))
    first, other = town.again(lead), town.again(second)  # each saw two leads when they asked
    access.add_member(slug, lead.person, "member", by=other)
    with pytest.raises(WrongState, match="keeps a lead"):
        access.add_member(slug, second.person, "member", by=first)
    assert [one.role for one, _ in access.members(slug, by=other) if one.person == second.person] == ["lead"]
