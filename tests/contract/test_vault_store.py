"""The vault's stores, on both databases."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from fabriek.adapters.database import Database
from fabriek.kernel.clock import FakeClock
from fabriek.kernel.errors import AlreadyExists, NotFound, QuotaExhausted
from fabriek.kernel.stored import Stored
from fabriek.vault.agreeing.agreements import Agreement, DataRight
from fabriek.vault.agreeing.requests import AccessRequest, RequestState, Step
from fabriek.vault.agreeing.store import SqlTerms
from fabriek.vault.agreeing.terms import Acceptance, Terms
from fabriek.vault.datasets import Dataset, Kind
from fabriek.vault.grants import Grant
from fabriek.vault.keeping import store_keys
from fabriek.vault.keeping.epochs import Epoch
from fabriek.vault.keeping.store_keys import SqlEpochKeys
from fabriek.vault.labelling.proposals import Act, Outcome, Proposal, Signature
from fabriek.vault.labelling.store import SqlProposals
from fabriek.vault.store import SqlDatasets, SqlVersions
from fabriek.vault.store_sharing import SqlAgreements, SqlGrants, SqlRequests
from fabriek.vault.store_uploads import SqlUploads
from fabriek.vault.uploads import Progress, StoredObject, Upload
from fabriek.vault.versions import Record, Version
from tests.factories.threads import at_once
from tests.factories.vault import World, a_push, a_world

NOW = FakeClock().now()
LATER = NOW + timedelta(hours=1)
DATASET = Dataset("ds_1", "prj_1", "biopsies", "org_1", "internal", Kind.DATA, NOW, "per_1")
VERSION = Version("ver_1", "ds_1", 1, NOW, "per_1", Record("{}", b"\0\xff"), 1, b"wrapped")
UPLOAD = Upload("upl_1", "ds_1", "internal", "per_1", "", "", NOW, LATER)
GRANT = Grant("grt_1", "ver_1", "ds_1", "prj_1", "per_1", "", DataRight.VIEW, NOW, LATER)
AGREEMENT = Agreement(
    "agr_1", "ds_1", "prj_2", frozenset({"civilian", "dual_use"}), DataRight.TAKE_AWAY, NOW.date(), "per_1", NOW
)
REQUEST = AccessRequest("req_1", "ds_1", "", "org_2", "per_2", "civilian", DataRight.COMPUTE, "why: 'x'; --", NOW)


def test_a_dataset_comes_back_as_it_was(database: Database) -> None:
    store = SqlDatasets(database)
    full = replace(DATASET, sources=("ds_8", "ds_9"), job="job_1", sequence=4, epoch=2, is_published=True)
    with store.transaction():
        store.add(full)
    assert store.get("ds_1") == store.named("prj_1", "biopsies") == full
    with store.transaction():
        store.save(replace(full, label="personal", sources=()))
    assert store.get("ds_1") == replace(full, label="personal", sources=())
    assert store.from_job("job_1") == [store.get("ds_1")]
    assert store.from_job("") == store.from_job("job_2") == []


def test_the_open_uploads_of_a_person_in_a_project(database: Database) -> None:
    store = SqlUploads(database)
    with database.transaction():
        for one in (DATASET, replace(DATASET, id="ds_2", project="prj_2")):
            SqlDatasets(database).add(one)
        for name, changed in (
            ("upl_1", {}),
            ("upl_2", {"dataset": "ds_2"}),
            ("upl_3", {"person": "per_2"}),
            ("upl_4", {"expires_at": NOW}),
            ("upl_5", {"progress": Progress.COMMITTED}),
        ):
            store.add(replace(UPLOAD, id=name, **changed))  # type: ignore[arg-type]
    assert [one.id for one in store.open_of("per_1", "prj_1", NOW)] == ["upl_1"]
    assert store.open_of("per_1", "prj_1", LATER) == []


def test_what_is_not_kept_is_not_found(database: Database) -> None:
    for ask in (
        lambda: SqlDatasets(database).get("ds_0"),
        lambda: SqlDatasets(database).named("prj_1", "none"),
        lambda: SqlVersions(database).get("ver_0"),
        lambda: SqlVersions(database).numbered("ds_0", 0),
        lambda: SqlUploads(database).get("upl_0"),
        lambda: SqlGrants(database).get("grt_0"),
        lambda: SqlAgreements(database).get("agr_0"),
        lambda: SqlEpochKeys(database).get("ds_0", 1),
        lambda: SqlEpochKeys(database).object_key("ds_0", "obj_0"),
    ):
        with pytest.raises(NotFound):
            ask()


def test_a_name_is_taken_once_in_a_project_and_the_transaction_lives_on(database: Database) -> None:
    store = SqlDatasets(database)
    with store.transaction():
        store.add(DATASET)
        with pytest.raises(AlreadyExists):
            store.add(replace(DATASET, id="ds_2"))
        store.add(replace(DATASET, id="ds_2", project="prj_2"))
    assert store.get("ds_2").project == "prj_2"


def test_the_list_of_a_project_is_by_name_in_pages_and_of_one_kind(database: Database) -> None:
    store = SqlDatasets(database)
    with store.transaction():
        for name in ("c", "a", "b"):
            store.add(replace(DATASET, id=f"ds_{name}", name=name))
        store.add(replace(DATASET, id="ds_code", name="_code-per_1", kind=Kind.CODE))
        store.add(replace(DATASET, id="ds_other", name="a", project="prj_2"))
    listed = store.of_project("prj_1", Kind.DATA, limit=2, after="")
    assert [one.name for one in listed] == ["a", "b"]
    assert [one.name for one in store.of_project("prj_1", Kind.DATA, limit=2, after="b")] == ["c"]


def test_versions_are_found_by_number_and_newest_first(database: Database) -> None:
    store = SqlVersions(database)
    second = replace(VERSION, id="ver_2", number=2)
    with database.transaction():
        store.add(VERSION, {"obj_1", "obj_2"})
        store.add(second, set())
        with pytest.raises(AlreadyExists):
            store.add(replace(second, id="ver_3"), set())
    assert store.get("ver_1") == store.numbered("ds_1", 1) == VERSION
    assert store.numbered("ds_1", 0) == second
    assert store.of_dataset("ds_1") == [second, VERSION]
    assert store.objects("ver_1") == {"obj_1", "obj_2"}
    assert store.uses("ver_1", "obj_1")
    assert not store.uses("ver_2", "obj_1")
    with database.transaction():
        store.save(replace(VERSION, record=Record("[]", b"new"), wrapped_key=b"rewrapped", epoch=2))
    assert store.get("ver_1").record == Record("[]", b"new")


def test_an_upload_comes_back_with_its_objects(database: Database) -> None:
    store = SqlUploads(database)
    with database.transaction():
        store.add(UPLOAD)
        store.mint(UPLOAD, ["obj_1", "obj_2"], objects_max=3)
        store.stored("obj_1", Stored(2**40, "beef"), NOW)
        with pytest.raises(QuotaExhausted):
            store.mint(UPLOAD, ["obj_3", "obj_4"], objects_max=3)
    assert store.objects("upl_1", {"obj_1", "obj_2", "obj_9"}) == {
        "obj_1": StoredObject("obj_1", 2**40, "beef"), "obj_2": StoredObject("obj_2"),
    }  # fmt: skip
    assert store.objects("upl_2", {"obj_1"}) == store.objects("upl_1", ()) == {}
    with database.transaction():
        SqlVersions(database).add(replace(VERSION, id="ver_0", number=7), {"obj_7", "obj_8"})
        on_it = replace(UPLOAD, parent="ver_0")
        store.use(on_it, {"obj_1"}, {"obj_8"})
        store.use(on_it, {"obj_1"}, {"obj_8"})
        assert store.settle(on_it, "ver_1", on_parent=True) == 1
        assert SqlVersions(database).objects("ver_1") == {"obj_1", "obj_7"}
        assert SqlVersions(database).among("ver_0", {"obj_7", "obj_1"}) == {"obj_7"}
        store.forget_uses(on_it)
        assert store.settle(on_it, "ver_2", on_parent=False) == -1
    closed = replace(UPLOAD, progress=Progress.COMMITTED, version="ver_1")
    with database.transaction():
        store.save(closed)
    assert store.get("upl_1") == closed


def test_of_an_object_that_arrived_nothing_else_is_believed(database: Database) -> None:
    store = SqlUploads(database)
    with database.transaction():
        store.add(UPLOAD)
        store.mint(UPLOAD, ["obj_1"], objects_max=1)
        assert store.stored("obj_1", Stored(5, "beef"), NOW)
        assert store.stored("obj_1", Stored(5, "beef"), NOW)
        assert not store.stored("obj_2", Stored(5, "beef"), NOW)
        for other in (Stored(5, "dead"), Stored(6, "beef")):
            with pytest.raises(AlreadyExists):
                store.stored("obj_1", other, NOW)
    assert store.objects("upl_1", ["obj_1"]) == {"obj_1": StoredObject("obj_1", 5, "beef")}


def test_more_names_are_asked_for_than_a_database_takes_at_once(database: Database) -> None:
    store = SqlVersions(database)
    with database.transaction():
        store.add(VERSION, {"obj_1", "obj_69999"})
    assert store.among("ver_1", [f"obj_{number}" for number in range(70_000)]) == {"obj_1", "obj_69999"}
    assert store.among("ver_1", []) == frozenset()


def test_an_upload_is_found_by_its_job_and_never_by_none(database: Database) -> None:
    store = SqlUploads(database)
    with database.transaction():
        store.add(UPLOAD)
        store.add(replace(UPLOAD, id="upl_2", job="job_1", person=""))
    assert store.of_job("job_1") == store.get("upl_2")
    assert store.of_job("") is None
    assert store.of_job("job_2") is None


def test_grants_end_by_what_is_named_and_only_once(database: Database) -> None:
    store = SqlGrants(database)
    with database.transaction():
        store.add(GRANT)
        store.add(replace(GRANT, id="grt_2", job="job_1", person=""))
        store.add(replace(GRANT, id="grt_3", project="prj_2", opened_at=LATER))
    assert store.get("grt_1") == GRANT
    assert [one.id for one in store.of_dataset("ds_1", limit=2)] == ["grt_3", "grt_2"]
    assert [one.id for one in store.of_job("job_1")] == ["grt_2"]
    assert store.of_job("") == []
    with database.transaction():
        assert store.end(NOW, dataset="ds_1", project="prj_2") == 1
        assert store.end(NOW, job="job_1") == 1
        assert store.end(NOW, job="job_1") == 0
        assert store.end_stale(NOW) == 0
        assert store.end_stale(LATER) == 1
    assert store.get("grt_1").ended_at == LATER
    assert store.get("grt_2").ended_at == NOW
    with pytest.raises(AssertionError), database.transaction():
        store.end(NOW)


def test_agreements_and_requests_come_back_as_they_were(database: Database) -> None:
    agreements, requests = SqlAgreements(database), SqlRequests(database)
    with database.transaction():
        agreements.add(AGREEMENT)
        requests.add(REQUEST)
    assert agreements.get("agr_1") == AGREEMENT
    assert requests.of_dataset("ds_1") == [REQUEST]
    with database.transaction():
        agreements.save(replace(AGREEMENT, ended_at=LATER))
        requests.save(replace(REQUEST, state=RequestState.APPROVED))
    assert agreements.of_dataset("ds_1") == [replace(AGREEMENT, ended_at=LATER)]
    assert requests.of_dataset("ds_1")[0].state is RequestState.APPROVED
    assert agreements.of_dataset("ds_2") == requests.of_dataset("ds_2") == []


def test_the_first_server_makes_the_epoch_and_the_second_learns_that(database: Database) -> None:
    store = SqlEpochKeys(database)
    epoch = Epoch("ds_1", 1, b"file/1\0wrapped", NOW)
    with database.transaction():
        assert store.add(epoch)
        assert not store.add(replace(epoch, wrapped=b"mine"))
    assert store.get("ds_1", 1) == epoch


def test_the_key_of_a_sealed_object_is_found_in_its_dataset_only(database: Database) -> None:
    store = SqlEpochKeys(database)
    with database.transaction():
        store.keep_object_key("ds_1", "obj_1", 3, b"wrapped", Stored(2**33, "beef"))
    assert store.object_key("ds_1", "obj_1") == (3, b"wrapped", Stored(2**33, "beef"))
    with pytest.raises(NotFound):
        store.object_key("ds_2", "obj_1")
    with database.transaction():
        store.forget_object_keys("ds_2", ["obj_1"])
    store.object_key("ds_1", "obj_1")


def test_keys_of_many_objects_are_forgotten_at_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_keys, "FORGOTTEN_AT_ONCE", 2)
    store = SqlEpochKeys(database)
    with database.transaction():
        for number in range(7):
            store.keep_object_key("ds_1", f"obj_{number}", 3, b"wrapped", Stored(1, "beef"))
        statements, execute = list[object](), database.execute
        monkeypatch.setattr(database, "execute", lambda *said: (statements.append(said), execute(*said))[1])
        store.forget_object_keys("ds_1", [f"obj_{number}" for number in range(5)])
        store.forget_object_keys("ds_1", [])
    assert len(statements) == 3
    for number in range(7):
        if number < 5:
            with pytest.raises(NotFound):
                store.object_key("ds_1", f"obj_{number}")
        else:
            store.object_key("ds_1", f"obj_{number}")


@pytest.fixture
def world(database: Database) -> World:
    return a_world(database)


def test_pushes_at_once_never_share_a_number_nor_a_sequence(world: World) -> None:
    world.vault.create("lab", "biopsies", by=world.hanna)
    outcomes = at_once(lambda number: a_push(world, "biopsies", {"f": str(number).encode()}), times=6)
    assert not [one for one in outcomes if isinstance(one, Exception)]
    found = world.vault.versions("biopsies", project="lab", by=world.hanna)
    assert sorted(one.number for one in found) == sorted(one.facts.sequence for one in found) == list(range(1, 7))


def test_rooms_and_outputs_are_made_once_however_many_ask(world: World) -> None:
    rooms = at_once(lambda _: world.vault.room("prj_1"), times=4)
    uploads = at_once(lambda _: world.vault.output_for_job("prj_1", "job_1", "open").id, times=4)
    assert len(set(map(str, rooms))) == 1
    assert len(set(map(str, uploads))) == 1


def test_of_four_who_take_a_name_at_once_one_gets_it(world: World) -> None:
    outcomes = at_once(lambda _: world.vault.create("lab", "biopsies", by=world.hanna), times=4)
    assert sum(isinstance(one, AlreadyExists) for one in outcomes) == 3
    assert sum(isinstance(one, Dataset) for one in outcomes) == 1


def test_what_agreements_and_requests_say_of_terms_places_and_steps_comes_back(database: Database) -> None:
    agreements, requests = SqlAgreements(database), SqlRequests(database)
    agreement = replace(AGREEMENT, terms=3, places=("BE", "NL/A & B"), until=NOW.date())
    steps = (Step(RequestState.SENT, "per_2", NOW), Step(RequestState.RETURNED, "per_1", LATER, "Why: 'x'?"))
    request = replace(REQUEST, state=RequestState.RETURNED, answers={"What for?": "é"}, steps=steps)
    with database.transaction():
        agreements.add(agreement)
        requests.add(request)
    assert agreements.get("agr_1") == agreement
    assert requests.get("req_1") == request
    assert requests.of_person("per_2") == [request]
    assert requests.of_person("per_1") == []
    assert agreements.run_out(NOW.date()) == []
    assert agreements.run_out(NOW.date() + timedelta(days=1)) == [agreement]
    with database.transaction():
        agreements.save(replace(agreement, ended_at=LATER))
    assert agreements.run_out(NOW.date() + timedelta(days=1)) == []
    with pytest.raises(NotFound):
        requests.get("req_0")


def test_terms_are_kept_by_number_and_accepted_once(database: Database) -> None:
    store = SqlTerms(database)
    first = Terms("ds_1", 1, "One.\n", "0" * 64, ("Why?",), ("per_1",), "per_1", NOW)
    second = replace(first, number=2, text="Two.\n", questions=(), committee=())
    accepted = Acceptance("ds_1", 1, "0" * 64, "per_2", NOW)
    with database.transaction():
        for one in (first, second):
            store.add(one)
        store.accept(accepted)
        store.accept(replace(accepted, accepted_at=LATER))
    assert (store.numbered("ds_1", 0), store.numbered("ds_1", 1)) == (second, first)
    assert store.numbered("ds_1", 3) is None is store.numbered("ds_2", 0)
    assert store.accepted_by("per_2", "ds_1") == {1}
    assert store.accepted_by("per_1", "ds_1") == store.accepted_by("per_2", "ds_2") == frozenset()
    assert store.acceptances("ds_1") == [accepted]


def test_a_proposal_comes_back_with_its_signatures(database: Database) -> None:
    store = SqlProposals(database)
    signed = (Signature("per_1", "org_1", NOW), Signature("per_2", "org_1", LATER))
    proposal = Proposal(
        "low_1", Act.LOWER, "ds_1", "prj_1", "open", "why: 'x'", "per_1", NOW, signatures=signed, covers=3
    )
    with database.transaction():
        store.add(proposal)
        store.add(replace(proposal, id="low_2", proposed_at=LATER, signatures=()))
        store.save(replace(proposal, outcome=Outcome.REFUSED, refused_by="per_2", words="no"))
    assert store.get("low_1") == replace(proposal, outcome=Outcome.REFUSED, refused_by="per_2", words="no")
    assert [one.id for one in store.about("ds_1")] == ["low_2", "low_1"]
    assert store.about("ds_2") == []
    with pytest.raises(NotFound):
        store.get("low_0")


def test_open_grants_are_those_that_open_something_now(database: Database) -> None:
    store = SqlGrants(database)
    ended, other = (
        replace(GRANT, id="grt_2", ended_at=NOW),
        replace(GRANT, id="grt_3", dataset="ds_2", purpose="civilian"),
    )
    with database.transaction():
        for one in (GRANT, ended, other):
            store.add(one)
    assert {one.id for one in store.open_ones(NOW)} == {"grt_1", "grt_3"}
    assert store.open_ones(NOW, dataset="ds_2") == [other]
    assert store.open_ones(LATER) == []
    assert store.opened_by("per_1", "prj_1") == {"ds_1", "ds_2"}
    with database.transaction():
        assert store.end(NOW, person="per_1", project="prj_1") == 2
    assert store.open_ones(NOW) == []


@pytest.mark.parametrize("dataset", ["", "ds_2"])
def test_open_grants_are_found_without_reading_those_that_ended(database: Database, dataset: str) -> None:
    asked: list[tuple[str, Any]] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    store = SqlGrants(database)
    with database.transaction():
        for number in range(300):
            store.add(replace(GRANT, id=f"grt_{number}", ended_at=NOW if number else None, dataset=f"ds_{number % 7}"))
        store.open_ones(NOW, dataset=dataset)
    event.remove(database.engine, "before_cursor_execute", note)
    ((statement, parameters),) = [one for one in asked if "ended_at IS NULL" in one[0]]
    lite = database.engine.dialect.name == "sqlite"
    with database.engine.connect() as connection:
        if not lite:  # which reads so small a table from end to end, whatever there is
            connection.exec_driver_sql("SET enable_seqscan = off")
        connection.exec_driver_sql("ANALYZE vault_grants")
        explained = f"EXPLAIN {'QUERY PLAN ' if lite else ''}{statement}"
        plan = str(connection.exec_driver_sql(explained, parameters).all())
    assert "vault_grants_open" in plan, plan


def test_every_label_that_stands_is_told_once(database: Database) -> None:
    store = SqlDatasets(database)
    with database.transaction():
        for number, label in enumerate(("open", "personal", "open")):
            store.add(replace(DATASET, id=f"ds_{number}", name=f"n{number}", label=label))
    assert store.labels() == {"open", "personal"}
