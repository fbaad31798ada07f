"""Passports: what they say is what the factory saw, and no byte of one can be changed unseen."""

import base64
import json
import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import update

from fabriek.adapters.database import Database, open_database
from fabriek.compute.store import jobs
from fabriek.kernel.errors import Damaged, FabriekError, InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.lab.base_models.models import Use
from fabriek.lab.base_models.store import SqlUses
from fabriek.lab.store import runs
from fabriek.schemas.passport import START
from fabriek.sdk.passport import read_key, verify, verify_file
from tests.factories.models import House, safetensors, trapped
from tests.factories.services import a_town
from tests.factories.vault import fill

CARD = b"---\nlicense: eupl-1.2\n---\n# Tree <script>alert(1)</script>\n"


@pytest.fixture
def house(sqlite_with_tables: Path, tmp_path: Path) -> Iterator[House]:
    """On one database: what a passport reads of either is other tests' matter."""
    shutil.copyfile(sqlite_with_tables, tmp_path / "fabriek.db")
    opened = open_database(f"sqlite:///{tmp_path}/fabriek.db")
    yield House(a_town(opened, tmp_path / "home"))
    opened.close()


def promoted(house: House) -> str:
    """A model of a job on agreed data, promoted by a second person; its job."""
    services = house.services
    vault = services.vault
    vault.create(house.slug, "biopsies", label="personal", by=house.lena)
    fill(services, vault.open_upload(house.slug, "biopsies", by=house.lena), {"a.csv": b"1,2"}, by=house.lena)
    vault.agree(
        "biopsies", home=house.slug, project=house.slug, purposes=["civilian"], right="compute", until=date(2027, 6, 1), by=house.lena
    )  # fmt: skip
    job = house.job(house.max, "python", "train.py", reads="biopsies")
    house.version(
        house.max, {"model.safetensors": safetensors(), "README.md": CARD}, metrics={"auc": 0.93, "odd": float("nan")}, job=job
    )  # fmt: skip
    house.settle(job)
    services.promoting.set_rule(house.project, "champion", limits=["auc>=0.9"], by=house.lena)
    made = services.promoting.propose(house.project, "tree", "1", "champion", "better <b>than</b> before", by=house.max)
    services.promoting.agree(made.id, by=house.nina)
    return job.id


def test_a_passport_says_all_that_is_known_and_verifies_with_the_key_alone(database: Database, tmp_path: Path) -> None:
    house = House(a_town(database, tmp_path / "home"))
    job = promoted(house)
    file, page = house.services.passports.issue(house.slug, "tree", "champion", by=house.lena)
    assert file == "passport-tree-1.html"
    said = verify(page.encode(), read_key(house.services.passports.key()))
    (subject,) = said["subject"]
    assert (subject["name"], subject["annotations"]) == ("model:tree@1", {"label": "personal"})
    told = said["predicate"]
    (data,) = told["made"]["data"]
    _, held = house.services.vault.resolve("biopsies@1", project=house.slug, by=house.lena)
    assert (data["name"], data["version"], data["sha256"]) == ("biopsies", 1, held.facts.content_hash)
    assert (data["agreement"]["right"], data["agreement"]["until"]) == ("compute", "2027-06-01")
    assert told["made"]["job"] == job
    assert told["made"]["command"] == ["python", "train.py"]
    assert told["made"]["statement"]["namesModel"] is True
    assert told["made"]["use"]["cpuHours"] == 0.1
    assert told["made"]["use"]["energyKwh"] > 0
    assert (told["made"]["paid"]["share"], told["made"]["paid"]["funder"]) == ("nation", "The Factory")
    assert told["model"]["licence"]["spdx"] == "EUPL-1.2"
    assert told["metrics"]["values"] == {"auc": 0.93, "odd": "nan"}
    assert told["files"]["mark"] == "data"
    (promotion,) = told["promotions"]
    assert (promotion["alias"], promotion["proposedBy"]["name"], promotion["agreedBy"]["name"]) == (
        "champion",
        "Max",
        "Nina",
    )
    command = "fabriek passport verify passport-tree-1.html --key"
    for shown in ("biopsies", held.facts.content_hash, "EUPL-1.2", "0.93", "kWh", "nation", "Nina", command):
        assert shown in page
    (tmp_path / file).write_text(page)
    out = verify_file(tmp_path / file, str(house.services.audit.key))
    assert (out.model, out.version, out.label, out.origin) == ("tree", 1, "personal", True)
    events = [
        one for one in house.services.audit.events(by=house.town.operator).items if one.action == "passport.issued"
    ]
    assert [one.person for one in events] == [house.lena.person]


def test_the_page_asks_nothing_of_any_network_and_runs_nothing(house: House) -> None:
    promoted(house)
    _, page = house.services.passports.issue(house.slug, "tree", by=house.lena)
    assert page.startswith("<!doctype html>")
    assert re.findall(r"<(?:link|img|iframe|object|embed|form|base|a)\b", page) == []
    assert re.findall(r"\b(?:src|href|url|on\w+)\s*[=(]", page.partition(START)[0]) == []
    assert page.count("<script") == 1
    assert "default-src 'none'" in page
    assert "better &lt;b&gt;than&lt;/b&gt; before" in page


def test_no_byte_of_the_page_can_be_another(house: House) -> None:
    promoted(house)
    _, text = house.services.passports.issue(house.slug, "tree", by=house.lena)
    page, key = text.encode(), read_key(house.services.passports.key())
    chosen = random.Random(7)  # noqa: S311  # places, not secrets
    begin = page.index(START.encode())
    places = [
        *chosen.sample(range(begin), 60),
        *chosen.sample(range(begin, len(page)), 240),
        begin - 1,
        begin,
        len(page) - 1,
    ]
    for place in places:
        for other in {page[place] ^ 1, page[place] ^ 0x20}:
            changed = page[:place] + bytes([other]) + page[place + 1 :]
            with pytest.raises((Damaged, InvalidInput)):
                verify(changed, key)
    for changed in (page[:-1], page + b" ", page.replace(b"0.93", b"0.99"), page[:begin] + page[begin:] + page[begin:]):
        with pytest.raises(FabriekError):
            verify(changed, key)


def test_a_passport_of_another_installation_or_of_another_statement_does_not_verify(house: House) -> None:
    job = promoted(house)
    _, text = house.services.passports.issue(house.slug, "tree", by=house.lena)
    key = read_key(house.services.passports.key())
    with pytest.raises(Damaged):
        verify(text.encode(), bytes(31) + b"\1")
    before, _, rest = text.partition(START)
    held, _, after = rest.partition("</script>")
    both = json.loads(held)
    swapped = json.dumps({"passport": both["origin"], "origin": both["origin"]})
    with pytest.raises(Damaged):
        verify(f"{before}{START}{swapped}</script>{after}".encode(), key)
    other = house.job(house.max)
    house.version(house.max, {"model.safetensors": safetensors()}, name="bush", job=other)
    house.settle(other)
    foreign = json.dumps(both | {"origin": house.services.assurance.of_job(other.id, house.project, by=house.lena)})
    with pytest.raises(Damaged, match="of another"):
        verify(f"{before}{START}{foreign}</script>{after}".encode(), key)
    assert job != other.id
    for wrong in ("", "AAAA", "not base64", base64.b64encode(bytes(33)).decode()):
        with pytest.raises(InvalidInput):
            read_key(wrong)
    for nothing in (b"", b"<html></html>", START.encode() + b"{}"):
        with pytest.raises(FabriekError):
            verify(nothing, key)


def test_none_is_issued_of_what_does_not_hold(house: House) -> None:
    passports = house.services.passports
    job = house.job(house.max)
    version = house.version(house.max, {"model.safetensors": safetensors()}, job=job)
    with pytest.raises(WrongState):
        passports.issue(house.slug, "tree", by=house.max)
    house.settle(job)
    passports.issue(house.slug, "tree", by=house.max)
    house.put(version.model_id, "model.safetensors", trapped(Path("/nowhere")), by=house.inside(job))
    with pytest.raises(Damaged):
        passports.issue(house.slug, "tree", by=house.max)


def test_data_that_was_swapped_behind_the_services_back_is_no_passports(house: House) -> None:
    job = promoted(house)
    other = {
        "dataset": "ds_x",
        "dataset_name": "x",
        "version": 1,
        "version_id": "ver_x",
        "label": "open",
        "mount": "/data",
    }
    for inputs in ([], [other]):
        with house.services.database.transaction():
            house.services.database.execute(update(jobs).where(jobs.c.id == job).values(inputs=inputs))
        with pytest.raises(Damaged, match="is not what its signed statement names"):
            house.services.passports.issue(house.slug, "tree", by=house.lena)


def test_a_base_model_that_its_job_read_is_named_as_the_factory_gave_it_out(house: House) -> None:
    job, services = house.job(house.max), house.services
    read = Use(house.project, "tiny", "c" * 40, job.id, "", date.min, "d" * 64, "apache-2.0", "internal")
    with services.database.transaction():
        SqlUses(services.database).note(read)
    house.version(
        house.max, {"model.safetensors": safetensors(), "README.md": b"---\nbase_model: elsewhere\n---\nx"}, job=job
    )
    house.settle(job)
    facts = services.facts.of(house.project, "tree", by=house.lena)
    assert [(one.name, one.sha256) for one in facts.base_models] == [("tiny", "d" * 64)]
    _, page = services.passports.issue(house.slug, "tree", by=house.lena)
    said = verify(page.encode(), read_key(services.passports.key()))
    assert said["predicate"]["made"]["baseModels"] == [
        {"name": "tiny", "commit": "c" * 40, "sha256": "d" * 64, "licence": "apache-2.0", "label": "internal"}
    ]
    assert "elsewhere" not in page
    with services.database.transaction():
        SqlUses(services.database).note(replace(read, name="other"))
    with pytest.raises(Damaged):
        services.passports.issue(house.slug, "tree", by=house.lena)


def test_data_that_was_removed_since_is_named_with_its_hash(house: House) -> None:
    promoted(house)
    _, held = house.services.vault.resolve("biopsies@1", project=house.slug, by=house.lena)
    again = house.services.vault.open_upload(house.slug, "biopsies", by=house.lena)
    fill(house.services, again, {"a.csv": b"3"}, by=house.lena)
    house.services.vault.remove_version("biopsies@1", project=house.slug, by=house.lena)
    _, page = house.services.passports.issue(house.slug, "tree", by=house.lena)
    assert held.facts.content_hash in page


def test_of_what_was_brought_in_it_says_that_nothing_is_known(house: House) -> None:
    house.version(house.max, {"model.pkl": trapped(Path("/nowhere")), "README.md": b"---\ndatasets: [secret]\n---\nx"})
    _, page = house.services.passports.issue(house.slug, "tree", by=house.max)
    said = verify(page.encode(), read_key(house.services.passports.key()))
    assert said["predicate"]["made"] is None
    assert "Nothing of this is known here" in page
    assert "Open it only where you would run a stranger" in page
    assert "secret" not in page


def test_what_the_label_withholds_is_in_no_passport(house: House) -> None:
    job = house.job(house.max, label="departementaal-vertrouwelijk")
    house.services.lab.log(house.project, job.run, params={"depth": "hidden-depth"}, by=house.inside(job))
    house.version(house.max, {"model.safetensors": safetensors()}, metrics={"auc": 0.123456}, job=job)
    with house.services.database.transaction():
        house.services.database.execute(update(runs).where(runs.c.id == job.run).values(label="departementaal-vertrouwelijk"))  # fmt: skip
    house.settle(job)
    _, page = house.services.passports.issue(house.slug, "tree", by=house.lena)
    said = verify(page.encode(), read_key(house.services.passports.key()))
    assert said["predicate"]["metrics"] == {"values": {}, "withheld": True}
    held = json.loads(page.partition(START)[2].partition("</script>")[0])
    assert held["origin"] == ""
    assert "0.123456" not in page
    assert "hidden-depth" not in base64.b64decode(json.loads(held["passport"])["payload"]).decode()


def test_passports_are_for_members(house: House) -> None:
    promoted(house)
    for by in (house.town.person("stranger"), house.inside(house.job(house.max))):
        with pytest.raises((NotPermitted, NotFound)):
            house.services.passports.issue(house.slug, "tree", by=by)
