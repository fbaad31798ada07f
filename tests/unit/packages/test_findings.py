"""What is told to who approves; what was not looked at has not passed."""

import io
import json
from pathlib import Path

import pytest

from fabriek.packages.advisories import Advised, Advisory, AdvisoryFolder
from fabriek.packages.findings import Surroundings, Weight, look_through, renewed
from fabriek.packages.names import read_pinned
from fabriek.packages.wheels import Wheel, read_wheel
from tests.factories.wheels import a_wheel, wheel_name

GREETER = read_pinned("greeter==1.0")


def a_read_wheel(name: str = "greeter", **said: object) -> Wheel:
    raw = a_wheel(name, "1.0", **said)  # type: ignore[arg-type]
    return read_wheel(wheel_name(name), io.BytesIO(raw), len(raw))


def around(**changes: object) -> Surroundings:
    fields: dict[str, object] = {"approved": (), "well_known": (), "advised": Advised(compared=10), "size_bytes": 1000}
    return Surroundings(**(fields | changes))  # type: ignore[arg-type]


def rules(wheel: Wheel, **changes: object) -> dict[str, Weight]:
    return {one.rule: one.weight for one in look_through(wheel, around(**changes))}


def advisory(folder: Path, name: str, **affected: object) -> None:
    package = {"package": {"ecosystem": "PyPI", "name": "Greeter"}}
    folder.joinpath(f"{name}.json").write_text(
        json.dumps({"id": name, "summary": "Bad.", "affected": [package | affected]})
    )


def test_nothing_of_note_is_nothing_grave() -> None:
    assert rules(a_read_wheel()) == {"vulnerabilities.none": Weight.NOTE, "licence": Weight.NOTE}


def test_what_was_not_looked_up_is_told_and_does_not_read_as_passed() -> None:
    (told,) = AdvisoryFolder(None).about([GREETER])
    found = look_through(a_read_wheel(), around(advised=told))
    assert (found[0].rule, found[0].weight) == ("vulnerabilities.unchecked", Weight.LOOK)
    assert (
        found[0].says
        == "known vulnerabilities were not looked up: no vulnerability data was given (setting packages_advisories)"
    )
    assert all(one.rule != "vulnerabilities.none" for one in found)


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"affected": [{}]}'])
def test_a_folder_that_cannot_be_read_has_not_passed_either(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "one.json").write_text(content)
    (told,) = AdvisoryFolder(tmp_path).about([GREETER])
    assert told.compared == 0
    assert told.why_not


def test_an_advisory_against_the_version_is_grave_and_one_that_names_commits_alone_is_unclear(tmp_path: Path) -> None:
    advisory(tmp_path, "PYSEC-1", versions=["0.9", "1.0"])
    advisory(tmp_path, "PYSEC-2", ranges=[{"type": "GIT", "events": [{"introduced": "0"}, {"fixed": "2f"}]}])
    advisory(tmp_path, "PYSEC-3", versions=["2.0"])
    folder = AdvisoryFolder(tmp_path)
    told, other = folder.about([GREETER, read_pinned("other==1.0")])
    assert (told.compared, [one.id for one in told.against], [one.id for one in told.perhaps]) == (
        3,
        ["PYSEC-1"],
        ["PYSEC-2"],
    )
    assert (other.compared, other.against, other.perhaps) == (3, (), ())
    found = rules(a_read_wheel(), advised=told)
    assert (found["vulnerability"], found["vulnerability.unclear"]) == (Weight.GRAVE, Weight.LOOK)
    assert "vulnerabilities.none" not in found
    advisory(tmp_path, "PYSEC-4", versions=["1"])
    assert [one.id for one in folder.about([GREETER])[0].against] == ["PYSEC-1", "PYSEC-4"], "new ones count at once"


def test_what_is_known_later_takes_the_place_of_what_was_known() -> None:
    before = look_through(a_read_wheel(headers=()), around(advised=Advised(why_not="none was given")))
    after = renewed(before, Advised(3, (Advisory("PYSEC-1", "Bad."),)))
    assert [one.rule for one in after] == ["vulnerability", "licence.none"]


def test_code_that_runs_unasked_machine_code_and_commands_are_told() -> None:
    files = {"greeter.pth": "import os\n", "greeter.so": b"\x7fELF", "greeter-1.0.data/scripts/greet": "#!python\n"}
    found = rules(a_read_wheel(files=files))
    assert found["code.at_start"] is Weight.LOOK
    assert {"code.native", "code.scripts"} <= found.keys()


def test_a_name_that_is_easily_taken_for_another_is_grave_unless_it_is_known_itself() -> None:
    assert rules(a_read_wheel("reqeusts"), well_known={"requests"})["name.alike"] is Weight.GRAVE
    assert rules(a_read_wheel("gretter"), approved={"greeter"})["name.alike"] is Weight.GRAVE
    assert "name.alike" not in rules(a_read_wheel("requests"), well_known={"requests", "request"})


def test_what_its_own_index_took_back_is_grave_and_a_missing_licence_is_seen() -> None:
    assert rules(a_read_wheel(headers=()), yanked=True) | {"vulnerabilities.none": Weight.NOTE} == {
        "yanked": Weight.GRAVE, "licence.none": Weight.LOOK, "vulnerabilities.none": Weight.NOTE,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("events", "concerned"),
    [
        ([("introduced", "0"), ("fixed", "2")], True),
        ([("introduced", "0"), ("fixed", "1.0")], False),
        ([("introduced", "1.0"), ("fixed", "1.0.post1")], True),
        ([("introduced", "1.0.1")], False),
        ([("introduced", "0"), ("last_affected", "1.0")], True),
        ([("introduced", "0"), ("last_affected", "1.0rc1")], False),
        ([("introduced", "0"), ("fixed", "0.5"), ("introduced", "0.9"), ("fixed", "1.1")], True),
        ([("fixed", "1.1"), ("introduced", "0.9"), ("fixed", "0.5"), ("introduced", "0")], True),
        ([("introduced", "0"), ("fixed", "0.5"), ("introduced", "1.0.1")], False),
        ([("fixed", "1.0"), ("introduced", "1.0")], True),
        ([("introduced", "1.0"), ("last_affected", "1.0")], True),
        ([("introduced", "0.9"), ("last_affected", "0.9")], False),
        ([("last_affected", "0.9"), ("introduced", "0.9")], False),
        ([("introduced", "0"), ("fixed", "0.9"), ("introduced", "0.9"), ("last_affected", "0.9")], False),
        ([("introduced", "0.9"), ("last_affected", "0.9"), ("introduced", "1.0")], True),
        ([], False),
    ],
)
def test_ranges_are_read_in_the_order_of_versions(
    tmp_path: Path,
    events: list[tuple[str, str]],
    concerned: bool,  # noqa: FBT001
) -> None:
    advisory(tmp_path, "PYSEC-1", ranges=[{"type": "ECOSYSTEM", "events": [{kind: at} for kind, at in events]}])
    (told,) = AdvisoryFolder(tmp_path).about([GREETER])
    assert (bool(told.against), told.perhaps) == (concerned, ())


def test_a_range_that_cannot_be_compared_is_unclear(tmp_path: Path) -> None:
    advisory(tmp_path, "PYSEC-1", ranges=[{"type": "ECOSYSTEM", "events": [{"introduced": "spring"}]}])
    (told,) = AdvisoryFolder(tmp_path).about([GREETER])
    assert ([one.id for one in told.perhaps], told.against) == (["PYSEC-1"], ())
