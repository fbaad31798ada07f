"""What was asked for is fetched with all that it needs, from the operator's index or folder, by the real pip."""

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.packages.fetching import Fetcher
from fabriek.packages.requests import Request, State
from fabriek.worker.fetching import Fetching
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once
from tests.factories.waiting import until
from tests.factories.wheels import a_wheel, put_wheel, wheel_name
from tests.servers.upstream import an_upstream

WHEELS = {
    wheel_name("greeter_app", "2.1"): a_wheel("greeter_app", "2.1", requires=["greeter>=1"]),
    wheel_name("greeter", "0.9"): a_wheel("greeter", "0.9"),
    wheel_name("greeter", "1.0"): a_wheel("greeter", "1.0"),
}


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def asked(town: Town, package: str) -> Request:
    person = town.person("lab")
    project = town.project(person)
    return town.services.packages.ask(project, package, "for a test", by=town.again(person))


def fetched(town: Town, fetcher: Fetcher, request: Request, there: Callable[[Request], bool]) -> Request:
    """The request once it is as far as that."""
    fetching = Fetching(town.services, fetcher, lambda: None)

    def now() -> Request | None:
        fetching.round()
        found = town.services.packages.request(request.id, by=town.operator)
        return found if there(found) else None

    found = until(now)
    fetching.close()
    return found


def is_scanned(request: Request) -> bool:
    return request.state is State.SCANNED


def test_a_package_comes_from_the_index_with_what_it_needs_and_waits_for_approval(town: Town) -> None:
    request = asked(town, "greeter-app==2.1")
    with an_upstream(WHEELS) as address:
        done = fetched(town, Fetcher(address), request, is_scanned)
    assert set(done.files) == {wheel_name("greeter_app", "2.1"), wheel_name("greeter", "1.0")}
    assert [one.file.package for one in town.services.packages.files_of(done, by=town.operator)] == [
        "greeter-app",
        "greeter",
    ]
    assert town.services.packages.shelf.packages(by=town.operator) == []


def test_a_package_comes_from_the_folder_without_any_network(town: Town, tmp_path: Path) -> None:
    folder = tmp_path / "carried"
    folder.mkdir()
    put_wheel(folder, "greeter_app", "2.1", requires=["greeter"])
    put_wheel(folder, "greeter", "1.0")
    done = fetched(town, Fetcher(folder=folder), asked(town, "greeter_app==2.1"), is_scanned)
    assert len(done.files) == 2


def test_what_cannot_be_fetched_says_why_and_waits_for_being_asked_again(town: Town) -> None:
    request = asked(town, "nowhere==1.0")
    with an_upstream(WHEELS) as address:
        secret = address.replace("://", "://me:secret@")
        done = fetched(town, Fetcher(secret), request, lambda one: bool(one.trouble))
    assert done.state is State.ASKED
    assert "No matching distribution found for nowhere==1.0" in done.trouble
    assert "secret" not in done.trouble
    assert Fetching(town.services, Fetcher(address), lambda: None).round() == 0


def test_an_unsound_wheel_of_the_index_is_not_kept_and_says_why(town: Town) -> None:
    request = asked(town, "greeter==1.0")
    with an_upstream({wheel_name(): a_wheel(record={"greeter.py": "sha256=" + "A" * 43})}) as address:
        done = fetched(town, Fetcher(address), request, lambda one: bool(one.trouble))
    assert "is not what its RECORD says" in done.trouble
    assert done.files == ()


def test_what_the_index_took_back_is_told(town: Town) -> None:
    request = asked(town, "greeter==1.0")
    with an_upstream(WHEELS, {wheel_name(): "it deletes files"}) as address:
        done = fetched(town, Fetcher(address), request, is_scanned)
    (file,) = town.services.packages.files_of(done, by=town.operator)
    assert file.file.findings[0].rule == "yanked"


def test_nothing_is_looked_for_where_the_operator_named_no_place(town: Town) -> None:
    asked(town, "greeter==1.0")
    assert Fetching(town.services, Fetcher(), lambda: None).round() == 0


def test_a_settings_file_of_this_machine_leads_nowhere_else(
    town: Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    put_wheel(elsewhere, "nowhere", "1.0")
    monkeypatch.setenv("PIP_FIND_LINKS", str(elsewhere))
    request = asked(town, "nowhere==1.0")
    with an_upstream(WHEELS) as address:
        assert fetched(town, Fetcher(address), request, lambda one: bool(one.trouble)).files == ()


def test_a_stopped_worker_lets_pip_go_and_the_next_one_fetches(town: Town) -> None:
    """An index that takes a connection and says nothing would keep a server from stopping."""
    request = asked(town, "greeter==1.0")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        fetching = Fetching(town.services, Fetcher(f"http://127.0.0.1:{silent.getsockname()[1]}/simple/"), lambda: None)
        assert fetching.round() == 1
        connection, _ = silent.accept()
        fetching.close()
        assert connection.recv(4) == b"GET "
        connection.close()
    with an_upstream(WHEELS) as address:
        assert fetched(town, Fetcher(address), request, is_scanned).trouble == ""


def test_two_workers_that_fetch_the_same_bring_it_once(town: Town) -> None:
    request = asked(town, "greeter==1.0")
    with an_upstream(WHEELS) as address:
        workers = [Fetching(town.services, Fetcher(address), threading.Event().set) for _ in range(2)]
        at_once(lambda number: workers[number].round(), times=2)
        until(lambda: town.services.packages.request(request.id, by=town.operator).state is State.SCANNED)
        for one in workers:
            one.close()
    done = town.services.packages.request(request.id, by=town.operator)
    assert (done.state, done.files, done.trouble) == (State.SCANNED, (wheel_name(),), "")
