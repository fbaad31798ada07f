"""What is said of a model version, on both databases: found by looking and from lineage, never from a script's own word."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabriek.adapters.database import Database, open_database
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted
from fabriek.lab.registry.cards import Licence
from fabriek.lab.registry.formats import Mark
from fabriek.lab.registry.signatures import Column
from tests.factories.models import House, safetensors, trapped
from tests.factories.services import a_town
from tests.factories.threads import at_once
from tests.factories.vault import fill

MLMODEL = """flavors: {}
signature:
  inputs: '[{"type": "double", "name": "radius"}]'
  outputs: '[{"type": "long"}]'
"""
README = "---\nlicense: mit\ndatasets: [something-else]\n---\n# Tree\n"


@pytest.fixture
def house(sqlite_with_tables: Path, tmp_path: Path) -> Iterator[House]:
    """On one database: most of what is shown here is a matter of rules, and not of SQL."""
    shutil.copyfile(sqlite_with_tables, tmp_path / "fabriek.db")
    opened = open_database(f"sqlite:///{tmp_path}/fabriek.db")
    yield House(a_town(opened, tmp_path / "home"))
    opened.close()


@pytest.fixture
def on_both(database: Database, tmp_path: Path) -> House:
    return House(a_town(database, tmp_path / "home"))


def pushed(house: House, name: str = "biopsies", label: str = "internal") -> None:
    vault = house.services.vault
    vault.create(house.slug, name, label=label, by=house.lena)
    fill(house.services, vault.open_upload(house.slug, name, by=house.lena), {"a.csv": b"1,2"}, by=house.lena)


def test_everything_of_a_version_that_a_job_made_is_known(on_both: House) -> None:
    house = on_both
    pushed(house)
    job = house.job(house.max, reads="biopsies")
    house.version(
        house.max, {"model.safetensors": safetensors(), "MLmodel": MLMODEL.encode(), "README.md": README.encode()},
        metrics={"auc": 0.93}, job=job,
    )  # fmt: skip
    house.services.registry.set_alias(house.project, "tree", "best", 1, by=house.max)
    facts = house.services.facts.of(house.project, "tree", "best", by=house.nina)
    _, held = house.services.vault.resolve("biopsies@1", project=house.slug, by=house.max)
    assert [(one.name, one.number, one.content_hash) for one in facts.inputs] == [
        ("biopsies", 1, held.facts.content_hash)
    ]
    assert (facts.version.label, facts.job, facts.aliases, facts.mark) == ("internal", job.id, ("best",), Mark.DATA)
    assert {one.key: one.value for one in facts.metrics} == {"auc": 0.93}
    assert facts.signature is not None
    assert facts.signature.inputs == (Column("radius", "double"),)
    assert facts.card is not None
    assert (facts.card.licence, facts.card.written_by) == (Licence("MIT"), "")
    assert facts.authors == {house.max.person}
    assert facts.is_intact
    assert {one.path: one.format.name for one in facts.files} == {
        "model.safetensors": "safetensors", "MLmodel": "text", "README.md": "text",
    }  # fmt: skip


def test_a_booby_trapped_pickle_is_marked_and_does_not_run(house: House, tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    for number, name in enumerate(("model.safetensors", "model.pkl", "config.json"), 1):
        house.version(house.max, {name: trapped(sprung, 0), "MLmodel": MLMODEL.encode()})
        facts = house.services.facts.of(house.project, "tree", str(number), by=house.lena)
        assert facts.mark is Mark.CODE
        assert facts.formats[0].name == "pickle"
    assert not sprung.exists()


def test_what_was_found_once_is_not_looked_at_again_and_what_replaced_it_is(
    on_both: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = on_both
    version = house.version(house.max, {"model.safetensors": safetensors()})
    facts = house.services.facts
    assert facts.mark(version, by=house.max) is Mark.DATA
    with monkeypatch.context() as blind:
        blind.setattr(facts._looking, "kind", lambda _: pytest.fail("it was looked at again"))
        assert facts.of(house.project, "tree", by=house.max).mark is Mark.DATA
    house.put(version.model_id, "model.safetensors", trapped(Path("/nowhere")), by=house.max)
    again = facts.of(house.project, "tree", by=house.max)
    assert (again.mark, again.is_intact) == (Mark.CODE, False)


def test_of_eight_that_look_at_once_all_see_the_same(on_both: House) -> None:
    house = on_both
    version = house.version(house.max, {"model.safetensors": safetensors(), "a.pkl": trapped(Path("/nowhere"))})
    assert set(at_once(lambda _: house.services.facts.mark(version, by=house.max), times=8)) == {Mark.CODE}


def test_a_large_file_is_looked_at_and_not_read(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of forty megabytes some hundred kilobytes are opened."""
    version = house.version(house.max, {"model.safetensors": safetensors(bytes(40_000_000))})
    read: list[int] = []
    safe = house.services.facts._looking._safe
    opened = safe.open

    def counted(dataset: str, one: str, start: int = 0, stop: int | None = None) -> object:
        assert stop is not None
        read.append(stop - start)
        return opened(dataset, one, start, stop)

    monkeypatch.setattr(house.services.facts._looking, "_safe", type("Counting", (), {"open": staticmethod(counted)}))
    assert house.services.facts.mark(version, by=house.max) is Mark.DATA
    assert sum(read) <= 600_000


def test_a_card_is_written_over_the_files_own_and_with_its_licence(on_both: House) -> None:
    house = on_both
    house.version(house.max, {"README.md": README.encode()})
    facts = house.services.facts
    with pytest.raises(InvalidInput):
        facts.write_card(house.project, "tree", "", "---\nlicense: nonsense\n---\n", by=house.max)
    facts.write_card(house.project, "tree", "1", "---\nlicense: eupl-1.2\n---\n# Mine\n", by=house.nina)
    card = facts.of(house.project, "tree", by=house.max).card
    assert card is not None
    assert (card.licence, card.body, card.written_by) == (Licence("EUPL-1.2"), "# Mine\n", house.nina.person)
    with pytest.raises(NotPermitted):
        facts.write_card(house.project, "tree", "1", "x", by=house.town.person("stranger"))
    actions = [one.action for one in house.services.audit.events(by=house.town.operator).items]
    assert actions.count("model.card_written") == 1


def test_a_version_that_no_job_made_has_no_inputs_whatever_it_says(house: House) -> None:
    house.version(house.max, {"README.md": README.encode()}, metrics={"auc": 1.0})
    facts = house.services.facts.of(house.project, "tree", by=house.max)
    assert (facts.inputs, facts.job, facts.authors) == ((), "", {house.max.person})


def test_an_input_that_is_gone_since_is_still_named(house: House) -> None:
    pushed(house)
    job = house.job(house.max, reads="biopsies")
    house.version(house.max, {"model.safetensors": safetensors()}, job=job)
    pushed_again = house.services.vault.open_upload(house.slug, "biopsies", by=house.lena)
    fill(house.services, pushed_again, {"a.csv": b"3"}, by=house.lena)
    house.services.vault.remove_version("biopsies@1", project=house.slug, by=house.lena)
    (gone,) = house.services.facts.of(house.project, "tree", by=house.max).inputs
    assert (gone.name, gone.number, gone.content_hash) == ("biopsies", 1, "")


def test_what_the_label_withholds_is_withheld_of_the_model_too(house: House) -> None:
    job = house.job(house.max, label="departementaal-vertrouwelijk")
    files = {"README.md": README.encode(), "MLmodel": MLMODEL.encode()}
    house.version(house.max, files, metrics={"auc": 1.0}, job=job)
    facts = house.services.facts.of(house.project, "tree", by=house.lena)
    assert facts.withheld
    assert (facts.metrics, facts.card, facts.signature) == ((), None, None)
    assert facts.mark is Mark.DATA


def test_prompts_are_no_models_that_one_can_answer_for(house: House) -> None:
    prompt = {"mlflow.prompt.is_prompt": "true", "mlflow.prompt.text": "Say {{word}}"}
    registry, told = house.services.registry, {"run_id": "", "model_id": "", "description": ""}
    registry.register(house.project, "greeting", tags=prompt, by=house.max)
    registry.add_version(house.project, "greeting", source="prompt-template", tags=prompt, by=house.max, **told)
    assert house.services.facts.briefs(house.project, by=house.max) == []
    for which in ("", "1"):
        with pytest.raises(NotFound):
            house.services.facts.find(house.project, "greeting", which, by=house.max)


def test_models_are_found_by_number_alias_and_as_the_newest_by_members_alone(house: House) -> None:
    facts = house.services.facts
    for _ in range(2):
        house.version(house.max, {})
    house.version(house.max, {}, name="bush")
    house.services.registry.set_alias(house.project, "tree", "old", 1, by=house.max)
    found = [facts.find(house.project, "tree", which, by=house.nina).number for which in ("", "1", "2", "old")]
    assert found == [2, 1, 2, 1]
    assert [(one.version.name, one.version.number, one.mark, one.aliases) for one in facts.briefs(house.project, by=house.nina)] == [
        ("bush", 1, Mark.UNKNOWN, ()), ("tree", 2, Mark.UNKNOWN, ()),
    ]  # fmt: skip
    assert [dict(one.points) for one in facts.briefs(house.project, by=house.nina)] == [{}, {"old": 1}]
    for name, which in (("tree", "3"), ("tree", "new"), ("nothing", ""), ("", "")):
        with pytest.raises(NotFound):
            facts.find(house.project, name, which, by=house.nina)
    with pytest.raises(NotPermitted):
        facts.find(house.project, "tree", "", by=house.town.person("stranger"))
    with pytest.raises(NotFound):
        facts.find(house.project, "tree", "", by=house.inside(house.job(house.max)))
