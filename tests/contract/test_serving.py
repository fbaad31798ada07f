"""Served models and their keys, where it matters on both databases: who serves what, who may call, and what a budget lets through."""

import pickle
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from fabriek.adapters.database import Database
from fabriek.compute.jobs import State
from fabriek.compute.progress import handle_of
from fabriek.compute.requests import JobAsked
from fabriek.compute.serving.keys import Answered
from fabriek.compute.serving.service import ServeAsked
from fabriek.kernel.errors import (
    AlreadyExists,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    QuotaExhausted,
    RateLimited,
    Unavailable,
    WrongState,
)
from tests.factories.services import WALL_LESS
from tests.factories.serving import FILES, Counter, a_counter
from tests.factories.tables import a_database
from tests.factories.threads import at_once


@pytest.fixture
def both(database: Database, tmp_path: Path) -> Iterator[Counter]:
    """On either database: for what depends on it."""
    with a_counter(database, tmp_path / "home") as made:
        made.register("smol", FILES)
        yield made


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    database = a_database(tmp_path / "fabriek.db")
    yield database
    database.close()


@pytest.fixture
def counter(sqlite: Database, tmp_path: Path) -> Iterator[Counter]:
    with a_counter(sqlite, tmp_path / "home") as made:
        made.register("smol", FILES)
        yield made


def test_the_version_that_the_alias_names_is_served_and_stays(counter: Counter) -> None:
    served = counter.serve()
    job = counter.running(served)
    assert (served.version, served.kind, job.terms.port) == (1, "openai", 8000)
    assert str(job.terms.serves) == "smol@1"
    assert counter.register("smol", FILES | {"more.txt": b""}) == 2
    again = counter.town.services.compute.get(counter.shop.project, job.id, by=counter.shop.person)
    assert str(again.terms.serves) == "smol@1"
    spec = counter.shop.executor.spec(handle_of(job))
    assert spec.argv[:1] == ("fabriek-serve",)
    assert spec.argv[3:] == ("8000", "openai")


def test_a_name_is_served_once_and_its_keys_outlive_the_job(both: Counter) -> None:
    services, admitting = both.town.services, both.town.services.admitting
    served = both.serve()
    _, secret = both.key()
    with pytest.raises(AlreadyExists, match="served already"):
        both.serve()
    with pytest.raises(Unavailable, match="is starting"):
        admitting.admit(secret, both.shop.project, "smol")
    job = both.running(served)
    assert admitting.admit(secret, both.shop.project, "smol").door.parent.name == job.id
    services.serving.stop(both.shop.project, "smol", by=both.shop.person)
    both.shop.settled(job)
    with pytest.raises(Unavailable, match="has ended") as ended:
        admitting.admit(secret, both.shop.project, "smol")
    assert "fabriek model serve smol@1 --name smol" in ended.value.fix
    with pytest.raises(WrongState):
        services.serving.stop(both.shop.project, "smol", by=both.shop.person)
    both.register("smol", {"other.gguf": b"better"})
    next_job = both.running(both.serve())
    assert admitting.admit(secret, both.shop.project, "smol").door.parent.name == next_job.id


def test_what_is_served_is_named_exactly_and_its_files_are_those_that_were_registered(counter: Counter) -> None:
    services, project = counter.town.services, counter.shop.project
    for said in ("smol", "smol@", "@champion"):
        with pytest.raises(InvalidInput):
            counter.serve(said)
    with pytest.raises(NotFound):
        counter.serve("smol@nobody")
    inside = services.access.project(project).id
    version = services.registry.version(inside, "smol", 1, by=counter.shop.person)
    place = f"0/models/{version.model_id}/artifacts/config.json"
    services.keeping.put(inside, place, [b'{"changed": 1}'], by=counter.shop.person)
    with pytest.raises(WrongState, match="not those that were registered"):
        counter.serve()
    counter.register("odd", {"weights.bin": b"?"})
    with pytest.raises(InvalidInput, match="do not say how"):
        counter.serve("odd@champion")
    wanted = ServeAsked("odd@champion", kind="scoring", command=("mine", "{model}", "{port}"))
    made = services.serving.serve(project, wanted, JobAsked(("serve",)), by=counter.shop.person)
    assert counter.running(made).argv[4:] == ("command", "mine", "{model}", "{port}")


def test_the_job_reads_the_model_that_it_serves_and_nothing_else(counter: Counter) -> None:
    services = counter.town.services
    counter.register("other", {"secret.gguf": b"other"})
    job = counter.running(counter.serve())
    project = services.access.project(counter.shop.project).id
    token = counter.shop.executor.spec(handle_of(job)).environment["MLFLOW_TRACKING_TOKEN"]
    found = services.identity.caller_of_lab_token(token)
    inside = replace(found, project_rights={project: frozenset({"lab.view", "lab.write"})})
    mine, other = (services.registry.version(project, name, 1, by=counter.shop.person) for name in ("smol", "other"))
    place = f"0/models/{mine.model_id}/artifacts"
    assert services.keeping.listed(project, place, by=inside) == [("config.json", 2), ("model.gguf", 7)]
    _, pieces = services.keeping.open(project, f"{place}/model.gguf", by=inside)
    assert b"".join(pieces) == b"weights"
    for act in (
        lambda: services.keeping.put(project, f"{place}/config.json", [b"changed"], by=inside),
        lambda: services.keeping.remove(project, place, by=inside),
        lambda: services.keeping.listed(project, f"0/models/{other.model_id}/artifacts", by=inside),
        lambda: services.keeping.open(project, f"0/models/{other.model_id}/artifacts/secret.gguf", by=inside),
        lambda: services.keeping.listed(project, f"0/{mine.run}/artifacts", by=inside),
    ):
        with pytest.raises(NotFound):
            act()


def labelled(counter: Counter, label: str) -> None:
    """A model of a run whose job read data of this label."""
    services, shop = counter.town.services, counter.shop
    project = services.access.project(shop.project).id
    job = shop.submit("sleep", "1")
    run = services.lab.open_run(
        project, "Default", job=job.id, label=label, person=job.person, name="trained", parameters={}
    )
    counter.register("cells", FILES, run=run)


def test_the_job_carries_the_models_label(counter: Counter) -> None:
    labelled(counter, "special-category")
    assert counter.running(counter.serve("cells@champion")).label == "special-category"


def test_what_waits_for_a_release_answers_nobody(counter: Counter) -> None:
    labelled(counter, "export-controlled")
    with pytest.raises(NotPermitted) as refused:
        counter.serve("cells@champion")
    assert refused.value.fields["rule"] == "serving.label"
    assert counter.town.services.serving.list(counter.shop.project, by=counter.shop.person) == []


def test_a_model_that_brings_code_is_loaded_only_within_walls(sqlite: Database, tmp_path: Path) -> None:
    with a_counter(sqlite, tmp_path / "home", able=WALL_LESS, unsandboxed=True) as counter:
        run = counter.shop.work(counter.shop.submit("sleep", "1"), State.RUNNING).run
        counter.register("pickled", {"MLmodel": b"", "model.pkl": pickle.dumps({"weights": 1})}, run=run)
        counter.register("plain", {"MLmodel": b"", "model.skops": b"", "requirements.txt": b""}, run=run)
        with pytest.raises(NotPermitted) as refused:
            counter.serve("pickled@champion")
        assert refused.value.fields["rule"] == "serving.walls"
        assert counter.serve("plain@champion").kind == "scoring"


def test_of_a_key_only_the_hash_is_kept(both: Counter) -> None:
    both.serve()
    _, secret = both.key()
    database = both.town.services.database
    row = str(tuple(database.rows(text("select * from serving_keys"))[0]))
    assert secret not in row
    assert secret[-4:] in row
    listed = both.town.services.serving.keys(both.shop.project, "smol", by=both.shop.person)
    assert [(one.hint, one.requests) for one in listed] == [(secret[-4:], 0)]


@pytest.mark.parametrize(("budget", "days"), [("lots", 1), ("0 tokens", 1), ("1 tokens", 91), ("1 tokens", 0), ("1e9 tokens", 1)])  # fmt: skip
def test_no_key_without_a_budget_and_an_end(counter: Counter, budget: str, days: int) -> None:
    counter.serve()
    with pytest.raises(InvalidInput):
        counter.key(budget=budget, days=days)


def test_a_key_opens_its_one_address_until_it_ends(counter: Counter) -> None:
    services, project = counter.town.services, counter.shop.project
    counter.register("other", FILES)
    for name in ("smol", "other"):
        counter.running(counter.serve(f"{name}@champion"))
    key, secret = counter.key(days=2)
    by_hand, ended = counter.key()
    assert services.admitting.known(secret, project, "smol")[0].id == key
    services.serving.end_key(project, "smol", by_hand, by=counter.shop.person)
    wrong = ((secret, project, "other"), (secret, "elsewhere", "smol"), (ended, project, "smol"))
    for given, where, name in (*wrong, ("", project, "smol"), ("fks_guess", project, "smol")):
        with pytest.raises(NotAuthenticated):
            services.admitting.known(given, where, name)
    for opens in (services.identity.caller_of, services.identity.caller_of_session, services.identity.caller_of_lab_token):  # fmt: skip
        with pytest.raises(NotAuthenticated):
            opens(secret)
    counter.town.clock.move(timedelta(days=2))
    with pytest.raises(NotAuthenticated):
        services.admitting.known(secret, project, "smol")


def test_a_budget_of_requests_lets_through_exactly_as_many(both: Counter) -> None:
    both.running(both.serve())
    _, secret = both.key(budget="5 requests")
    admitting = both.town.services.admitting
    outcomes = at_once(lambda _number: admitting.admit(secret, both.shop.project, "smol"), times=8)
    refused = [one for one in outcomes if isinstance(one, Exception)]
    assert [type(one) for one in refused] == [QuotaExhausted] * 3
    key, _ = admitting.known(secret, both.shop.project, "smol")
    admitting.give_back(key.id)
    admitting.admit(secret, both.shop.project, "smol")
    with pytest.raises(QuotaExhausted):
        admitting.admit(secret, both.shop.project, "smol")


def test_a_budget_of_a_day_is_whole_again_at_midnight_here(both: Counter) -> None:
    both.running(both.serve())
    _, secret = both.key(budget="100 tokens/day")
    admitting = both.town.services.admitting
    admitted = admitting.admit(secret, both.shop.project, "smol")
    admitting.count(admitted.key.id, Answered(60, 50))
    with pytest.raises(RateLimited) as refused:
        admitting.admit(secret, both.shop.project, "smol")
    midnight = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
    assert refused.value.fields["retry_after_seconds"] == (midnight - both.town.clock.now()).total_seconds() + 1
    both.town.clock.move(midnight - both.town.clock.now())
    admitting.count(admitting.admit(secret, both.shop.project, "smol").key.id, Answered(1, 2))
    (key,) = both.town.services.serving.keys(both.shop.project, "smol", by=both.shop.person)
    assert (key.used, key.requests, key.tokens_in, key.tokens_out) == (3, 2, 61, 52)


def test_eight_answers_at_once_are_all_counted(both: Counter) -> None:
    both.running(both.serve())
    key, _ = both.key(budget="1000 tokens")
    admitting = both.town.services.admitting
    assert at_once(lambda number: admitting.count(key, Answered(number, 1)), times=8) == [None] * 8
    (kept,) = both.town.services.serving.keys(both.shop.project, "smol", by=both.shop.person)
    assert (kept.used, kept.requests, kept.tokens_in, kept.tokens_out) == (36, 8, 28, 8)


def test_keys_end_with_their_persons_time_in_the_project_and_for_good(both: Counter) -> None:
    services, shop = both.town.services, both.shop
    both.running(both.serve())
    colleague = both.town.person("weefsel")
    services.access.add_member(shop.project, colleague.person, "member", by=shop.person)
    theirs, secret = services.serving.create_key(
        shop.project, "smol", budget="9 requests", days=9, by=both.town.again(colleague)
    )
    mine, my_secret = both.key()
    assert services.admitting.still_opens(theirs.id)
    services.vault.remove_member(shop.project, colleague.person, by=shop.person)
    assert not services.admitting.still_opens(theirs.id)
    both.town.clock.move(timedelta(seconds=30))
    shop.worker.round()
    assert shop.worker._upkeep._closer.beside.wait()
    services.access.add_member(shop.project, colleague.person, "member", by=shop.person)
    with pytest.raises(NotAuthenticated):
        services.admitting.known(secret, shop.project, "smol")
    assert services.admitting.known(my_secret, shop.project, "smol")[0].id == mine
    ended = next(one for one in services.serving.keys(shop.project, "smol", by=shop.person) if one.id == theirs.id)
    assert ended.ended_why == "its person left the project"


def test_who_may_not_submit_makes_no_key_and_ends_none_of_others(counter: Counter) -> None:
    services, shop = counter.town.services, counter.shop
    counter.running(counter.serve())
    key, _ = counter.key()
    stranger = counter.town.person("elders")
    with pytest.raises(NotPermitted):
        services.serving.create_key(shop.project, "smol", budget="9 requests", days=9, by=stranger)
    colleague = counter.town.person("weefsel")
    services.access.add_member(shop.project, colleague.person, "member", by=shop.person)
    with pytest.raises(NotPermitted):
        services.serving.end_key(shop.project, "smol", key, by=counter.town.again(colleague))


def test_a_model_that_a_run_keeps_among_its_own_files_is_served_with_those_alone(counter: Counter) -> None:
    """As older clients register: the run's other files stay the run's."""
    services, by = counter.town.services, counter.shop.person
    project = services.access.project(counter.shop.project).id
    run = services.lab.create_run(project, "0", name="", person="", started_ms=0, tags={}, by=by).run.id
    for path in ("model/weights.gguf", "model2/weights.gguf", "secret.txt"):
        services.keeping.put(project, f"0/{run}/artifacts/{path}", [path.encode()], by=by)
    services.registry.register(project, "older", by=by)
    told = {"run_id": run, "model_id": "", "description": "", "tags": {}}
    services.registry.add_version(project, "older", source=f"runs:/{run}/model", by=by, **told)  # type: ignore[arg-type]
    job = counter.running(counter.serve("older@1"))
    assert job.argv[1] == f"0/{run}/artifacts/model"
    token = counter.shop.executor.spec(handle_of(job)).environment["MLFLOW_TRACKING_TOKEN"]
    inside = replace(services.identity.caller_of_lab_token(token), project_rights={project: frozenset({"lab.view"})})
    assert services.keeping.listed(project, f"0/{run}/artifacts/model", by=inside) == [("weights.gguf", 18)]
    for place in ("", "/secret.txt", "/model2", "/model2/weights.gguf"):
        with pytest.raises(NotFound):
            services.keeping.listed(project, f"0/{run}/artifacts{place}", by=inside)
