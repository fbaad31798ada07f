"""Packages from a request to the index, on both databases: two people, nothing unsound kept, and each project's own."""

import json
from pathlib import Path
from typing import Any

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound, NotPermitted, Unavailable, WrongState
from fabriek.packages.advisories import AdvisoryFolder
from fabriek.packages.names import read_pinned
from fabriek.packages.requests import State
from tests.factories.packages import another_operator, bring, put_on_index
from tests.factories.services import Town, a_town, with_project
from tests.factories.threads import at_once
from tests.factories.wheels import a_wheel, wheel_name

GREETER = (wheel_name(), a_wheel())


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def objects(town: Town) -> int:
    """How many sealed objects the store holds."""
    return sum(1 for one in (town.services.settings.home / "objects").rglob("*") if one.is_file())


def actions(town: Town, subject: str) -> list[str]:
    found = town.services.audit.events(by=town.operator, limit=100, subject=subject).items
    return [one.action for one in reversed(found)]


def test_what_was_asked_for_and_approved_is_on_the_index(town: Town) -> None:
    by, project = with_project(town, "lab")
    packages = town.services.packages
    asked = packages.ask(project, "Greeter==1.0", "to greet", by=by)
    assert (asked.state, packages.shelf.packages(by=by)) == (State.ASKED, [])
    scanned = bring(town, asked, GREETER)
    assert (scanned.state, packages.shelf.packages(by=by)) == (State.SCANNED, [])
    done = packages.approve(asked.id, by=town.operator)
    assert (done.state, done.decided_by) == (State.APPROVED, town.operator.person)
    assert [one.standing for one in packages.files_of(done, by=by)] == ["approved"]
    assert packages.shelf.packages(by=by) == ["greeter"]
    (file,) = packages.shelf.on_index("greeter", by=by)
    assert b"".join(packages.shelf.open(file, 0, file.size_bytes, by=by)) == GREETER[1]
    assert packages.shelf.metadata(file.name, by=by).startswith(b"Metadata-Version")
    assert actions(town, asked.id) == ["package.asked", "package.scanned", "package.approved"]
    assert actions(town, file.object_id) == ["package.kept", "package.taken"]
    with pytest.raises(AlreadyExists, match="installed here already"):
        packages.ask(project, "greeter==1.0.0", "again", by=by)


def test_what_is_approved_for_one_project_is_not_there_for_another(town: Town) -> None:
    by, project = with_project(town, "lab")
    stranger, _ = with_project(town, "startup")
    shelf = town.services.packages.shelf
    asked = put_on_index(town, asked_by=by, project=project)
    assert shelf.packages(by=stranger) == []
    assert list(shelf.on_index("greeter", by=stranger)) == []
    assert shelf.listed(by=stranger) == []
    answers = []
    for name in (GREETER[0], wheel_name("nothing")):
        with pytest.raises(NotFound) as refused:
            shelf.found(name, by=stranger)
        answers.append((refused.value.detail, refused.value.fix))
    for request in (asked.id, "pkg_nothing"):
        with pytest.raises(NotFound) as refused:
            town.services.packages.request(request, by=stranger)
        answers.append((refused.value.detail, refused.value.fix))
    assert answers[0] == answers[1]
    assert answers[2] == answers[3]


def test_approved_for_all_is_there_for_all(town: Town) -> None:
    by, project = with_project(town, "lab")
    stranger, other = with_project(town, "startup")
    asked = bring(town, town.services.packages.ask(project, "greeter==1.0", "x", by=by), GREETER)
    town.services.packages.approve(asked.id, everybody=True, by=town.operator)
    assert town.services.packages.shelf.packages(by=stranger) == ["greeter"]
    home = town.services.access.project(other).id
    assert town.services.packages.shelf.is_installable(read_pinned("greeter==1"), project=home)


def test_who_asked_or_carried_in_does_not_approve(town: Town) -> None:
    packages = town.services.packages
    carried = bring(town, packages.carry("greeter==1.0", "ours", by=town.operator), GREETER)
    with pytest.raises(NotPermitted, match="nobody approves what they asked for") as refused:
        packages.approve(carried.id, by=town.operator)
    assert refused.value.fields["rule"] == "package.two_people"
    assert packages.approve(carried.id, by=another_operator(town)).state is State.APPROVED


def test_who_brought_the_files_of_anothers_request_does_not_approve_what_nobody_else_has_seen(town: Town) -> None:
    by, project = with_project(town, "lab")
    _, other = with_project(town, "startup")
    packages, second = town.services.packages, another_operator(town)
    asked = bring(town, packages.ask(project, "greeter==1.0", "x", by=by), GREETER, by=town.operator)
    with pytest.raises(NotPermitted) as refused:
        packages.approve(asked.id, by=town.operator)
    assert refused.value.fields["rule"] == "package.two_people"
    assert (packages.request(asked.id, by=by).state, packages.shelf.packages(by=by)) == (State.SCANNED, [])
    packages.approve(asked.id, by=second)
    later = bring(town, packages.carry("greeter==1.0", "for all", by=second), GREETER)
    assert packages.approve(later.id, by=town.operator).state is State.APPROVED, "another has seen it"
    assert packages.shelf.is_installable(read_pinned("greeter==1"), project=town.services.access.project(other).id)


def test_one_person_alone_may_where_the_operator_says_so_and_only_while_alone(town: Town) -> None:
    packages = town.services.packages
    carried = bring(town, packages.carry("greeter==1.0", "ours", by=town.operator), GREETER)
    packages._alone = True
    another_operator(town)
    with pytest.raises(NotPermitted):
        packages.approve(carried.id, by=town.operator)


def test_the_only_person_may_where_the_operator_says_so(town: Town) -> None:
    packages = town.services.packages
    packages._alone = True
    carried = bring(town, packages.carry("greeter==1.0", "ours", by=town.operator), GREETER)
    assert packages.approve(carried.id, by=town.operator).state is State.APPROVED


def test_only_those_with_the_right_bring_and_decide(town: Town) -> None:
    by, project = with_project(town, "lab")
    packages = town.services.packages
    asked = packages.ask(project, "greeter==1.0", "x", by=by)
    for act in (
        lambda: packages.take(asked.id, *GREETER[:1], [GREETER[1]], by=by),
        lambda: packages.ready(asked.id, by=by),
        lambda: packages.approve(asked.id, by=by),
        lambda: packages.refuse(asked.id, "no", by=by),
        lambda: packages.carry("greeter==1.0", "x", by=by),
        lambda: packages.shelf.withdraw(read_pinned("greeter==1.0"), "x", by=by),
        lambda: packages.requests(by=by),
    ):
        with pytest.raises(NotPermitted):
            act()
    officer = town.person("factory", "security_officer")
    bring(town, asked, GREETER)
    assert packages.approve(asked.id, by=officer).state is State.APPROVED


def test_an_unsound_wheel_leaves_nothing_behind(town: Town) -> None:
    by, project = with_project(town, "lab")
    asked = town.services.packages.ask(project, "greeter==1.0", "x", by=by)
    before = objects(town)
    bad = a_wheel(record={"greeter.py": "sha256=" + "A" * 43})
    with pytest.raises(InvalidInput, match="not what its RECORD says"):
        town.services.packages.take(asked.id, wheel_name(), [bad], by=town.operator)
    assert objects(town) == before
    assert town.services.packages.request(asked.id, by=by).files == ()
    with pytest.raises(InvalidInput, match="no file of greeter"):
        town.services.packages.ready(asked.id, by=town.operator)


def test_a_stream_that_breaks_off_leaves_nothing_behind(town: Town) -> None:
    by, project = with_project(town, "lab")
    asked = town.services.packages.ask(project, "greeter==1.0", "x", by=by)
    before = objects(town)

    def broken() -> object:
        yield GREETER[1][:100]
        raise InvalidInput("the file broke off")

    with pytest.raises(InvalidInput, match="broke off"):
        town.services.packages.take(asked.id, wheel_name(), broken(), by=town.operator)  # type: ignore[arg-type]
    assert objects(town) == before


def test_the_same_bytes_are_kept_once_and_others_under_the_name_are_refused(town: Town) -> None:
    by, project = with_project(town, "lab")
    other, elsewhere = with_project(town, "startup")
    packages = town.services.packages
    bring(town, packages.ask(project, "greeter==1.0", "x", by=by), GREETER)
    before = objects(town)
    second = packages.ask(elsewhere, "greeter==1.0", "x", by=other)
    with pytest.raises(AlreadyExists, match="other bytes"):
        packages.take(second.id, wheel_name(), [a_wheel(files={"greeter.py": "evil"})], by=town.operator)
    assert bring(town, second, GREETER).files == (GREETER[0],)
    assert objects(town) == before


def test_a_file_that_is_kept_stays_where_the_answer_to_its_commit_was_lost(
    town: Town, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    by, project = with_project(town, "lab")
    packages = town.services.packages
    asked, add = packages.ask(project, "greeter==1.0", "x", by=by), packages.shelf._files.add

    def lost() -> None:
        raise Unavailable("the database went away", fix="try again")

    def added(*given: Any) -> None:
        add(*given)
        database.after_commit(lost)

    with monkeypatch.context() as breaking:
        breaking.setattr(packages.shelf._files, "add", added)
        with pytest.raises(Unavailable):
            bring(town, asked, GREETER)
    kept = packages.shelf.take(*GREETER[:1], [GREETER[1]], by=town.operator)
    assert b"".join(packages.shelf.open(kept, 0, kept.size_bytes, by=town.operator)) == GREETER[1]
    assert objects(town) == 1


def test_two_who_bring_the_same_at_once_bring_it_once(town: Town) -> None:
    by, project = with_project(town, "lab")
    asked = town.services.packages.ask(project, "greeter==1.0", "x", by=by)
    outcomes = at_once(
        lambda _: town.services.packages.take(asked.id, *GREETER[:1], [GREETER[1]], by=town.operator), times=4
    )
    assert len({one.object_id for one in outcomes if not isinstance(one, Exception)}) == 1
    assert [one for one in outcomes if isinstance(one, Exception)] == []
    assert objects(town) == 1


def test_a_request_that_waits_is_not_made_twice_and_its_trouble_is_tried_again(town: Town) -> None:
    by, project = with_project(town, "lab")
    packages = town.services.packages
    first = packages.ask(project, "greeter==1.0", "x", by=by)
    packages.in_trouble(first.id, "the index is away")
    assert packages.to_fetch() == []
    again = packages.ask(project, "greeter==1.0", "x", by=by)
    assert (again.id, again.trouble) == (first.id, "")
    assert [one.id for one in packages.to_fetch()] == [first.id]


def test_what_was_decided_stays_decided(town: Town) -> None:
    by, project = with_project(town, "lab")
    packages = town.services.packages
    asked = packages.ask(project, "greeter==1.0", "x", by=by)
    with pytest.raises(WrongState):
        packages.approve(asked.id, by=town.operator)
    with pytest.raises(InvalidInput, match="reason"):
        packages.refuse(asked.id, "  ", by=town.operator)
    assert packages.refuse(asked.id, "not maintained", by=town.operator).decision == "not maintained"
    for act in (
        lambda: packages.approve(asked.id, by=town.operator),
        lambda: packages.take_back(asked.id, by=by),
        lambda: packages.take(asked.id, *GREETER[:1], [GREETER[1]], by=town.operator),
    ):
        with pytest.raises(WrongState):
            act()
    assert packages.shelf.packages(by=by) == []


def test_a_request_is_taken_back_by_who_made_it(town: Town) -> None:
    by, project = with_project(town, "lab")
    packages = town.services.packages
    asked = packages.ask(project, "greeter==1.0", "x", by=by)
    with pytest.raises(NotPermitted):
        packages.take_back(asked.id, by=town.operator)
    assert packages.take_back(asked.id, by=by).state is State.WITHDRAWN
    assert packages.ask(project, "greeter==1.0", "x", by=by).id != asked.id


def test_a_withdrawn_version_is_gone_from_every_index_and_is_remembered(town: Town) -> None:
    by, project = with_project(town, "lab")
    packages = town.services.packages
    put_on_index(town, asked_by=by, project=project)
    put_on_index(town, version="2.0", asked_by=by, project=project)
    (gone,) = packages.shelf.withdraw(read_pinned("greeter==1.0"), "it phones home", by=town.operator)
    assert [one.version for one in packages.shelf.on_index("greeter", by=by)] == ["2.0"]
    with pytest.raises(NotFound):
        packages.shelf.found(gone.name, by=by)
    assert list(packages.shelf.withdrawn()) == [gone.name]
    told = {one.file.name: (one.standing, one.file.withdrawn_for) for one in packages.shelf.listed(by=by)}
    assert told[gone.name] == ("withdrawn", "it phones home")
    assert actions(town, gone.object_id)[-1] == "package.withdrawn"
    asked = bring(town, packages.ask(project, "greeter==1.0", "still", by=by), GREETER)
    with pytest.raises(InvalidInput, match="was withdrawn: it phones home"):
        packages.approve(asked.id, by=town.operator)


def test_a_grave_finding_needs_a_reason(town: Town, tmp_path: Path) -> None:
    by, project = with_project(town, "lab")
    packages = town.services.packages
    raw = a_wheel("reqeusts", "1.0")
    asked = bring(town, packages.ask(project, "reqeusts==1.0", "x", by=by), (wheel_name("reqeusts"), raw))
    (file,) = packages.files_of(asked, by=by)
    assert ("name.alike", "grave") in [(one.rule, one.weight) for one in file.file.findings]
    assert "vulnerabilities.unchecked" in [one.rule for one in file.file.findings]
    with pytest.raises(NotPermitted, match="easily taken for requests"):
        packages.approve(asked.id, by=town.operator)
    assert packages.shelf.packages(by=by) == []
    done = packages.approve(asked.id, despite="our own, named so for years", by=town.operator)
    assert done.decision == "our own, named so for years"


def test_advisories_that_came_after_the_scan_count_when_it_is_approved(town: Town, tmp_path: Path) -> None:
    by, project = with_project(town, "lab")
    packages = town.services.packages
    asked = bring(town, packages.ask(project, "greeter==1.0", "x", by=by), GREETER)
    advisory = {"id": "PYSEC-1", "summary": "Says too much.", "affected": [
        {"package": {"ecosystem": "PyPI", "name": "Greeter"}, "versions": ["0.9", "1.0.0"]}]}  # fmt: skip
    folder = tmp_path / "advisories"
    folder.mkdir()
    (folder / "PYSEC-1.json").write_text(json.dumps(advisory))
    packages.shelf._advisories = AdvisoryFolder(folder)
    with pytest.raises(NotPermitted, match="PYSEC-1: Says too much"):
        packages.approve(asked.id, by=town.operator)
