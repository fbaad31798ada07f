"""The registry, on both databases: numbers are given once, labels go along, and what is deleted stays known."""

from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound, NotPermitted
from fabriek.lab.registry.logged_models import order_of
from fabriek.lab.registry.models import LoggedModel, ModelVersion
from fabriek.lab.registry.store import SqlModels
from fabriek.lab.store import SqlRuns
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once


class Bench:
    """A project, a person in it, and a job of a label."""

    def __init__(self, town: Town) -> None:
        self.town, self.registry = town, town.services.registry
        person = town.person("weefsel")
        slug = town.project(person)
        self.person, self.project = town.again(person), town.services.access.project(slug).id
        self.job_run = town.services.lab.open_run(self.project, "", job="job_1", label="personal", person=person.person, name="x")  # fmt: skip
        self.job = Caller("", job="job_1", project_rights={self.project: frozenset({"lab.view", "lab.write"})})

    def logged(self, name: str = "m", *, by: Caller | None = None, run: str = "") -> LoggedModel:
        return self.registry.log_model(self.project, "0", run, name=name, model_type="", tags={}, params={}, by=by or self.person)  # fmt: skip

    def add(self, name: str, source: str, *, run: str = "", by: Caller | None = None) -> ModelVersion:
        return self.registry.add_version(
            self.project, name, source=source, run_id=run, model_id="", description="", tags={}, by=by or self.person
        )


@pytest.fixture
def bench(database: Database, tmp_path: Path) -> Bench:
    return Bench(a_town(database, tmp_path / "home"))


def test_of_eight_that_add_a_version_each_has_its_own_number(bench: Bench) -> None:
    model = bench.logged()
    bench.registry.register(bench.project, "tree", by=bench.person)
    made = at_once(lambda _: bench.add("tree", f"models:/{model.id}"), times=8)
    assert sorted(one.number for one in made) == list(range(1, 9))
    assert [one.number for one in bench.registry.versions(bench.project, "tree", by=bench.person)] == list(range(8, 0, -1))  # fmt: skip


def test_of_eight_that_register_a_name_one_does(bench: Bench) -> None:
    outcomes = at_once(lambda _: bench.registry.register(bench.project, "tree", by=bench.person), times=8)
    assert sorted(type(one).__name__ for one in outcomes) == ["AlreadyExists"] * 7 + ["RegisteredModel"]


def test_tags_that_are_set_at_once_all_stand(bench: Bench) -> None:
    model = bench.logged()
    bench.registry.register(bench.project, "tree", by=bench.person)
    bench.add("tree", f"models:/{model.id}")

    def tag(number: int) -> None:
        bench.registry.change(bench.project, "tree", tags={f"k{number}": ""}, by=bench.person)
        bench.registry.change_version(bench.project, "tree", 1, tags={f"k{number}": ""}, by=bench.person)
        bench.registry.change_logged(bench.project, model.id, tags={f"k{number}": ""}, by=bench.person)

    assert [one for one in at_once(tag, times=8) if one is not None] == []
    expected = {f"k{number}" for number in range(8)}
    assert set(bench.registry.registered(bench.project, "tree", by=bench.person).tags) == expected
    assert set(bench.registry.version(bench.project, "tree", 1, by=bench.person).tags) == expected
    assert set(bench.registry.logged(bench.project, model.id, by=bench.person).tags) == expected


def test_two_that_rename_towards_each_other_do_not_wait_for_ever(bench: Bench) -> None:
    for name in ("a", "b"):
        bench.registry.register(bench.project, name, by=bench.person)
    names = [("a", "b"), ("b", "a")] * 4
    outcomes = at_once(lambda number: bench.registry.rename(bench.project, *names[number], by=bench.person), times=8)
    assert {type(one) for one in outcomes} == {AlreadyExists}
    assert [one.name for one in bench.registry.all_registered(bench.project, by=bench.person)] == ["a", "b"]


def test_what_is_deleted_stays_in_the_log_and_in_statements(bench: Bench) -> None:
    model = bench.logged(by=bench.job)
    bench.registry.register(bench.project, "tree", by=bench.person)
    first = bench.add("tree", f"models:/{model.id}")
    bench.registry.model_versions.delete(bench.project, "tree", 1, by=bench.person)
    second = bench.add("tree", f"models:/{model.id}")
    bench.registry.unregister(bench.project, "tree", by=bench.person)
    bench.registry.logged_models.delete(bench.project, model.id, by=bench.person)
    bench.registry.register(bench.project, "tree", by=bench.person)
    assert (first.number, second.number) == (1, 2)
    assert {(name, number) for name, number, *_ in bench.registry.models_of_run(bench.job_run)} == {("tree", 1), ("tree", 2)}  # fmt: skip
    with pytest.raises(NotFound):
        bench.registry.version(bench.project, "tree", 2, by=bench.person)
    events = bench.town.services.audit.events(by=bench.town.operator, limit=100).items
    seen = [one.action for one in events]
    wanted = {"model.version_deleted": 2, "model.unregistered": 1, "model.logged_deleted": 1}
    assert {action: seen.count(action) for action in wanted} == wanted


def test_a_copy_and_a_folder_of_a_run_carry_the_label_of_what_they_are_of(bench: Bench) -> None:
    services = bench.town.services
    model = bench.logged(by=bench.job)
    services.keeping.put(bench.project, f"0/models/{model.id}/artifacts/w", [b"w"], by=bench.job)
    services.keeping.put(bench.project, f"0/{bench.job_run}/artifacts/out/w", [b"w"], by=bench.job)
    for name in ("tree", "copy"):
        bench.registry.register(bench.project, name, by=bench.person)
    made = bench.add("tree", f"models:/{model.id}")
    copied = bench.add("copy", "models:/tree/1")
    folder = bench.add("copy", f"runs:/{bench.job_run}/out", run=bench.job_run)
    assert {one.label for one in (made, copied, folder)} == {"personal"}
    assert len({one.sha256 for one in (made, copied, folder)}) == 1, "the same files are the same model, wherever they lie"  # fmt: skip
    assert [one.path for one in bench.registry.model_versions.files(bench.project, "copy", 2, by=bench.person)] == ["w"]  # fmt: skip
    assert bench.registry.model_versions.is_as_registered(made)
    services.keeping.put(bench.project, f"0/models/{model.id}/artifacts/w", [b"other"], by=bench.job)
    assert not bench.registry.model_versions.is_as_registered(made)


def test_a_prompt_that_a_job_writes_carries_the_jobs_label(bench: Bench) -> None:
    tags = {"mlflow.prompt.is_prompt": "true", "mlflow.prompt.text": "hello"}
    bench.registry.register(bench.project, "greeting", tags=tags, by=bench.job)
    made = [
        bench.registry.add_version(
            bench.project,
            "greeting",
            source="prompt-template",
            run_id="",
            model_id="",
            description="",
            tags=tags,
            by=by,
        )
        for by in (bench.job, bench.person)
    ]
    assert [one.label for one in made] == ["personal", "internal"]
    assert bench.registry.all_registered(bench.project, by=bench.person) == []
    assert bench.registry.versions(bench.project, by=bench.person) == []


def test_a_job_knows_what_its_own_runs_made(bench: Bench) -> None:
    outside, own = bench.logged("outside"), bench.logged("own", by=bench.job)
    assert own.run == bench.job_run
    assert [one.name for one in bench.registry.logged_of(bench.project, ["0"], by=bench.job)] == ["own"]
    with pytest.raises(NotFound):
        bench.registry.logged(bench.project, outside.id, by=bench.job)
    with pytest.raises(NotFound):
        bench.town.services.keeping.put(bench.project, f"0/models/{outside.id}/artifacts/x", [b"x"], by=bench.job)
    bench.registry.register(bench.project, "tree", by=bench.person)
    for act in (bench.registry.unregister, lambda *names, by: bench.registry.rename(*names, "bush", by=by)):
        with pytest.raises(NotPermitted) as refused:
            act(bench.project, "tree", by=bench.job)
        assert refused.value.fields["rule"] == "registry.jobs"


def test_a_model_that_was_deleted_takes_no_more_files(bench: Bench) -> None:
    model = bench.logged()
    place = f"0/models/{model.id}/artifacts/x"
    bench.town.services.keeping.put(bench.project, place, [b"x"], by=bench.person)
    bench.registry.logged_models.delete(bench.project, model.id, by=bench.person)
    with pytest.raises(InvalidInput):
        bench.town.services.keeping.put(bench.project, place, [b"y"], by=bench.person)
    found, pieces = bench.town.services.keeping.open(bench.project, place, by=bench.person)
    assert (found.size, b"".join(pieces)) == (1, b"x")


def test_whoever_is_no_member_does_nothing_with_models(bench: Bench) -> None:
    stranger = bench.town.person("elders")
    bench.registry.register(bench.project, "tree", by=bench.person)
    model = bench.logged()
    registry, project = bench.registry, bench.project
    versions, logged = registry.model_versions, registry.logged_models
    acts = [
        lambda: registry.register(project, "x", by=stranger),
        lambda: registry.registered(project, "tree", by=stranger),
        lambda: registry.search(project, by=stranger),
        lambda: registry.change(project, "tree", tags={}, by=stranger),
        lambda: registry.rename(project, "tree", "x", by=stranger),
        lambda: registry.unregister(project, "tree", by=stranger),
        lambda: registry.set_alias(project, "tree", "a", 1, by=stranger),
        lambda: registry.aliased(project, "tree", "a", by=stranger),
        lambda: registry.drop_alias(project, "tree", "a", by=stranger),
        lambda: bench.add("tree", f"models:/{model.id}", by=stranger),
        lambda: versions.get(project, "tree", 1, by=stranger),
        lambda: versions.of(project, by=stranger),
        lambda: versions.search(project, by=stranger),
        lambda: versions.newest(project, ["tree"], by=stranger),
        lambda: versions.change(project, "tree", 1, tags={}, by=stranger),
        lambda: versions.delete(project, "tree", 1, by=stranger),
        lambda: versions.drop_tag(project, "tree", 1, "k", by=stranger),
        lambda: versions.files(project, "tree", 1, by=stranger),
        lambda: bench.logged(by=stranger),
        lambda: logged.get(project, model.id, by=stranger),
        lambda: logged.of(project, ["0"], by=stranger),
        lambda: logged.search(project, ["0"], by=stranger),
        lambda: logged.change(project, model.id, tags={}, by=stranger),
        lambda: logged.drop_tag(project, model.id, "k", by=stranger),
        lambda: logged.delete(project, model.id, by=stranger),
        lambda: logged.measured(project, [model], by=stranger),
        lambda: logged.files(project, model.id, "", by=stranger),
    ]
    for act in acts:
        with pytest.raises(NotPermitted):
            act()


def test_many_models_are_found_page_by_page(bench: Bench) -> None:
    """In an order of one's own, and in that of MLflow's client, which is looking for one run's model."""
    for number in range(25):
        bench.logged(f"m{number:02}" if number % 2 else "same", by=bench.job if number < 5 else None)
    bench.registry.logged_models.delete(bench.project, bench.logged("same").id, by=bench.person)
    search = bench.registry.logged_models.search
    for by, order, text, count in (
        (bench.person, [order_of("name", is_ascending=False)], "", 25), (bench.person, [], "", 25), (bench.person, [], "name = 'same'", 13),
        (bench.person, [], f"source_run_id = '{bench.job_run}'", 5), (bench.job, [], "", 5), (bench.job, [], "name = 'same'", 3),
        (bench.job, [], "source_run_id = 'x'", 0), (bench.person, [], "name IN ('same', 'm01') AND source_run_id != 'x'", 14),
    ):  # fmt: skip
        seen, offset = [], 0
        while True:
            page = search(bench.project, ["0"], filter_text=text, order_by=order, limit=4, offset=offset, by=by)
            seen += [one.id for one in page.items]
            offset = page.following
            if not offset:
                break
        assert (len(seen), len(set(seen))) == (count, count), text


def test_a_name_with_a_null_character_is_refused_before_any_database_sees_it(bench: Bench) -> None:
    for name in ("a\x00b", "\x00"):
        for act in (
            lambda name=name: bench.registry.register(bench.project, name, by=bench.person),
            lambda name=name: bench.registry.change(bench.project, name, tags={}, by=bench.person),
            lambda name=name: bench.registry.unregister(bench.project, name, by=bench.person),
            lambda name=name: bench.registry.set_alias(bench.project, name, "a", 1, by=bench.person),
            lambda name=name: bench.registry.version(bench.project, name, 1, by=bench.person),
        ):
            with pytest.raises(InvalidInput):
                act()


def test_a_renamed_model_takes_its_cards_along(bench: Bench) -> None:
    facts, model = bench.town.services.facts, bench.logged()
    bench.registry.register(bench.project, "tree", by=bench.person)
    bench.add("tree", f"models:/{model.id}")
    facts.write_card(bench.project, "tree", "1", "# A tree", by=bench.person)
    bench.registry.rename(bench.project, "tree", "bush", by=bench.person)
    assert facts.card(bench.project, "bush", "1", by=bench.person).text == "# A tree"
    bench.registry.register(bench.project, "tree", by=bench.person)
    bench.add("tree", f"models:/{model.id}")
    with pytest.raises(NotFound):
        facts.card(bench.project, "tree", "1", by=bench.person)


def test_what_a_run_logged_and_registered_rises_with_it(bench: Bench) -> None:
    """Also what is written at the same moment by who read it before: the label is nowhere but at the run."""
    services, model = bench.town.services, bench.logged(by=bench.job)
    bench.registry.register(bench.project, "tree", by=bench.person)
    for source in (f"models:/{model.id}", "models:/tree/1"):
        bench.add("tree", source)
    with services.database.transaction():
        SqlRuns(services.database).relabel(bench.job_run, "special-category")
        SqlModels(services.database).put_logged(model)  # as one that was read before writes it
    versions = bench.registry.versions(bench.project, "tree", by=bench.person)
    assert [one.label for one in versions] == ["special-category"] * 2
    assert bench.registry.logged(bench.project, model.id, by=bench.person).label == "special-category"
    assert {label for *_, label in bench.registry.models_of_run(bench.job_run)} == {"special-category"}
    assert bench.add("tree", f"models:/{model.id}").label == "special-category"
