"""The worker's care of the store: in its own thread, at its own pace, and telling of damage."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.adapters.blobs_local import standing_still
from fabriek.adapters.database import Database
from fabriek.kernel.errors import Unavailable
from fabriek.vault.care.leftovers import ORPHAN_AGE
from fabriek.vault.uploads import OPEN_FOR
from fabriek.worker.caring import LOOK_SECONDS, Care
from tests.factories.services import Town, a_town
from tests.factories.vault import fill
from tests.factories.waiting import until
from tests.servers.mailbox import Mailbox, taking_mail


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with taking_mail() as taken:
        yield taken


@pytest.fixture
def town(database: Database, tmp_path: Path, mailbox: Mailbox) -> Town:
    return a_town(
        database, tmp_path / "home", mail_host="127.0.0.1", mail_port=mailbox.port, mail_from="factory@factory.example",
        mail_tls="none", portal_url="https://factory.example", scrub_days=10,
    )  # fmt: skip


def pushed(town: Town, home: Path, organisation: str = "hospital") -> Path:
    """A version of one file; where its object lies."""
    owner = town.person(organisation)
    stranger = town.person("university")
    project = town.project(owner, partners=("university",))
    owner, services = town.again(owner), town.services
    assert stranger.organisation != owner.organisation
    services.vault.create(project, "biopsies", by=owner)
    version = fill(
        services, services.vault.open_upload(project, "biopsies", by=owner), {"a-name": b"1" * 100}, by=owner
    )
    (name,) = services.vault.checking._parts.versions.objects(version.id) - {version.facts.manifest}
    return home / "objects" / name[-2:] / name


def test_damage_is_told_once_to_owners_and_operators_without_a_name(
    town: Town, mailbox: Mailbox, tmp_path: Path
) -> None:
    pushed(town, tmp_path / "home").unlink()
    care = Care(town.services)
    for _ in range(2):
        care.scrub()
        town.clock.move(timedelta(days=10))
        care.scrub()
        care.tell()
    care.beside.close()
    told = sorted(to.partition("@")[2] for to, _ in mailbox.came)
    assert told == ["factory.example", "hospital.example"], "not the guests of the project"
    text = mailbox.came[0][1].get_content()
    assert "https://factory.example/projects/" in text
    assert "biopsies" not in text
    assert "a-name" not in text


def test_a_relay_that_is_away_is_tried_again(town: Town, mailbox: Mailbox, tmp_path: Path) -> None:
    pushed(town, tmp_path / "home").unlink()
    care = Care(town.services)
    care.scrub()
    mailbox.refuses = "450 later"
    with pytest.raises(Unavailable):
        care.tell()
    mailbox.refuses = ""
    care.tell()
    care.tell()
    care.beside.close()
    assert len(mailbox.came) == 2


def scrubbed(town: Town) -> Care:
    """One that has read everything again, whatever it has to tell of that."""
    care = Care(town.services)
    care.scrub()
    town.clock.move(timedelta(days=10))
    care.scrub()
    return care


def told(mailbox: Mailbox) -> list[str]:
    return sorted(to.partition("@")[2] for to, _ in mailbox.came)


@pytest.mark.parametrize("answer", ["550 nobody here", "450 later"])
def test_an_address_that_refuses_has_nobody_told_again_and_nothing_kept_back(
    town: Town, mailbox: Mailbox, tmp_path: Path, answer: str
) -> None:
    for _ in range(2):
        pushed(town, tmp_path / "home").unlink()
    care = scrubbed(town)
    mailbox.refuses_at["factory.example"] = answer  # before the owners in the alphabet
    for _ in range(3):
        care.tell()
    care.beside.close()
    assert told(mailbox) == ["hospital.example"] * 2, "the owner of each"


def test_what_no_address_will_ever_take_is_told_no_more(town: Town, mailbox: Mailbox, tmp_path: Path) -> None:
    pushed(town, tmp_path / "home").unlink()
    care = scrubbed(town)
    mailbox.refuses = "550 nobody here"
    care.tell()
    mailbox.refuses = ""
    care.tell()
    care.beside.close()
    assert mailbox.came == []


def test_a_dataset_whose_people_must_wait_keeps_no_other_from_being_told(
    town: Town, mailbox: Mailbox, tmp_path: Path
) -> None:
    first, second = (pushed(town, tmp_path / "home", body) for body in ("clinic", "hospital"))
    first.unlink()
    second.unlink()
    care = scrubbed(town)
    for domain in ("factory.example", "clinic.example"):
        mailbox.refuses_at[domain] = "450 later"
    with pytest.raises(Unavailable, match="450"):
        care.tell()
    assert told(mailbox) == ["hospital.example"]
    mailbox.refuses_at.clear()
    care.tell()
    care.tell()
    care.beside.close()
    assert told(mailbox) == ["clinic.example", "factory.example", "hospital.example"], "and nobody twice"


def test_the_worker_cares_beside_its_rounds_when_it_is_time(town: Town, tmp_path: Path) -> None:
    place = pushed(town, tmp_path / "home")
    lost = place.with_name(f"obj_lost{place.name[-2:]}")
    lost.write_bytes(b"x")
    care = Care(town.services)
    assert not care.round(), "a server that has just started has other things to do"
    town.clock.move(timedelta(seconds=LOOK_SECONDS))
    assert care.round()
    until(lambda: town.services.vault.scrubbing.standing(by=town.operator).current is not None)
    assert care.beside.wait()
    assert not care.round(), "not before it is time again"
    for waits in (OPEN_FOR, ORPHAN_AGE):
        town.clock.move(waits)
        until(care.round)
        assert care.beside.wait()
    care.beside.close()
    assert not lost.exists()
    assert place.exists()


def test_a_collection_that_a_backup_refused_is_tried_again_at_the_next_look(town: Town, tmp_path: Path) -> None:
    place = pushed(town, tmp_path / "home")
    lost = place.with_name(f"obj_lost{place.name[-2:]}")
    lost.write_bytes(b"x")
    care = Care(town.services)

    def looked() -> None:
        until(care.round)
        assert care.beside.wait()

    town.clock.move(timedelta(seconds=LOOK_SECONDS))
    with standing_still(tmp_path / "home" / "objects"):
        looked()
    town.clock.move(timedelta(seconds=LOOK_SECONDS))
    looked()  # seen here, and not a day later
    town.clock.move(ORPHAN_AGE)
    looked()
    care.beside.close()
    assert not lost.exists()
    assert place.exists()
