"""Experiments of MLflow brought into a project and taken out again: nothing is lost, nothing comes twice."""

import math
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from fabriek.adapters.database import open_database
from fabriek.api import app as api
from fabriek.kernel.errors import FabriekError, InvalidInput, NotFound, Unavailable
from fabriek.sdk import Fabriek
from fabriek.sdk.tracking.dialect import Dialect
from fabriek.sdk.tracking.exporting import Exporting
from fabriek.sdk.tracking.importing import FROM, GIVEN, WHOLE, Importing
from fabriek.sdk.tracking.live import Live
from fabriek.sdk.tracking.mlruns import Mlruns
from fabriek.sdk.tracking.records import Experiment, Model, Point, Registered, Run, Source
from tests.factories.mlruns import LOSS, MANY, Made, fill, mlflow_at
from tests.factories.services import Town, a_town
from tests.factories.waiting import until
from tests.servers.app import serving
from tests.servers.losing import losing_answers

OURS = {FROM, GIVEN, WHOLE}


@pytest.fixture
def town(sqlite_with_tables: Path, tmp_path: Path) -> Iterator[Town]:
    """One of its own: ids of runs are kept where they are free, and a neighbour would have them."""
    shutil.copyfile(sqlite_with_tables, tmp_path / "fabriek.db")
    database = open_database(f"sqlite:///{tmp_path}/fabriek.db")
    yield a_town(database, tmp_path / "home")
    database.close()


@pytest.fixture
def server(town: Town) -> Iterator[str]:
    with serving(api.build(town.services)) as url:
        yield url


@pytest.fixture
def factory(town: Town, server: str) -> Iterator[Fabriek]:
    """A person in a project of their own."""
    person = town.person("weefsel")
    project = town.project(person)
    with Fabriek(server, town.services.identity.issue_token(person.person, by=person), project) as opened:
        yield opened


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("mlflow") / "mlruns"
        return fill(mlflow_at(folder, patch), folder)


_lines: list[Dialect] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while _lines:
        _lines.pop().close()


def live(factory: Fabriek) -> Live:
    _lines.append(Dialect(factory.lab.tracking_uri, factory.client.token))
    return Live(_lines[-1])


def bits(points: object) -> list[tuple[str, int, int]]:
    """Every point to the bit, once, in no order; a NaN is a NaN, and zero has one sign."""
    assert isinstance(points, Iterator)
    found = [(one.value, one.at_ms, one.step) for one in points]
    return sorted({("nan" if math.isnan(value) else struct.pack(">d", value + 0.0).hex(), at, step) for value, at, step in found})  # fmt: skip


def experiments(source: Source) -> dict[str, Experiment]:
    return {one.name: one for one in source.experiments() if isinstance(one, Experiment)}


def runs(source: Source, name: str) -> dict[str, Run]:
    return {one.id: one for one in source.runs(experiments(source)[name]) if isinstance(one, Run)}


def files(source: Source, owner: Run | Model) -> dict[str, bytes]:
    found = {}
    for path, _ in source.files(owner):
        with source.open(owner, path) as pieces:
            found[path] = b"".join(pieces)
    return found


def check_same(there: Source, here: Source, made: Made) -> None:
    """Everything of the one is in the other."""
    assert experiments(here)["trees"].tags.items() >= experiments(there)["trees"].tags.items()
    for name in ("trees", "forests"):
        old, new = runs(there, name), runs(here, name)
        assert old.keys() == new.keys()
        for run in old:
            known, came = old[run], new[run]
            for field in ("name", "user", "status", "started_ms", "ended_ms", "is_deleted", "params", "keys"):
                assert getattr(came, field) == getattr(known, field), (name, field)
            assert came.tags.items() >= {key: value for key, value in known.tags.items() if key not in OURS}.items()
            for key in known.keys:
                assert bits(here.points(came, key)) == bits(there.points(known, key))
            if known.params:
                assert files(here, came) == files(there, known) != {}


def models(source: Source) -> list[Model]:
    return [one for one in source.models(experiments(source)["trees"]) if isinstance(one, Model)]


def test_a_folder_of_mlflow_arrives_whole_and_its_runs_keep_their_ids(factory: Fabriek, made: Made) -> None:
    report = factory.lab.import_runs(str(made.folder), registered=True)
    assert not report.failures, report.failures
    assert report.is_whole
    counts = {kind: (count.found, count.done) for kind, count in report.counts.items()}
    assert counts["runs"] == (3, 3)
    assert counts["points"] == (2 * len(LOSS) + MANY + 1 + 2,) * 2
    assert counts["files"] == (4, 4)
    assert counts["models"] == (1, 1)
    assert counts["versions"] == (2, 2)
    check_same(Mlruns(made.folder), live(factory), made)
    (came,) = [one for one in runs(live(factory), "trees").values() if one.id == made.full]
    (dataset,) = came.datasets
    assert (dataset.name, dataset.digest, dataset.source_type, dataset.schema) == (
        "cells",
        "abc123",
        "local",
        '{"a": 1}',
    )
    assert dataset.tags == {"mlflow.data.context": "training"}
    (there,) = models(live(factory))
    assert (list(came.models), list(came.outputs)) == ([there.id], [(there.id, 7)])
    assert [(run, key, point.value) for run, key, point in there.measured] == [(made.full, "on_model", 0.5)]
    (old,), (new,) = models(Mlruns(made.folder)), models(live(factory))
    assert (new.name, new.kind, new.run, new.status, new.params) == (
        old.name,
        old.kind,
        old.run,
        old.status,
        old.params,
    )
    assert new.tags["owner"] == "a"
    assert files(live(factory), new) == files(Mlruns(made.folder), old) != {}
    (arbor,) = live(factory).registered()
    assert (arbor.description, arbor.aliases, len(arbor.versions)) == ("our tree", {"champion": 2}, 2)
    assert arbor.versions[0].tags["checked"] == "yes"
    assert factory.lab.run(made.full).tags[FROM] == made.folder.as_uri()


def test_the_same_import_again_changes_nothing(factory: Fabriek, made: Made) -> None:
    factory.lab.import_runs(str(made.folder), registered=True)
    before = factory.lab.runs()
    report = factory.lab.import_runs(str(made.folder), registered=True)
    assert report.counts["runs"].skipped == 2  # the third had not ended, and may have gone on
    assert report.counts["models"].skipped == 1
    assert report.counts["versions"].skipped == 2
    assert report.counts["files"].done == 0
    assert [one.model_dump() for one in factory.lab.runs()] == [one.model_dump() for one in before]
    check_same(Mlruns(made.folder), live(factory), made)


class Dying(Source):
    """A source that breaks after so many calls, as a client that is killed does."""

    def __init__(self, source: Source, calls: int) -> None:
        self._source, self._left, self.where = source, calls, source.where

    def __getattribute__(self, name: str) -> object:
        if name.startswith("_") or name == "where":
            return super().__getattribute__(name)
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        return getattr(self._source, name)


@pytest.mark.parametrize("calls", [2, 4, 6, 8, 10])
def test_an_import_that_was_killed_goes_on_and_doubles_nothing(factory: Fabriek, made: Made, calls: int) -> None:
    folder = Mlruns(made.folder)
    with pytest.raises(KeyboardInterrupt):
        Importing(factory.client, factory.client.project, Dying(folder, calls)).run()
    report = factory.lab.import_runs(str(made.folder))
    assert report.is_whole
    check_same(folder, live(factory), made)
    assert len(models(live(factory))) == 1


def test_answers_that_are_lost_make_nothing_twice(town: Town, made: Made) -> None:
    person = town.person("weefsel")
    project = town.project(person)
    token = town.services.identity.issue_token(person.person, by=person)
    with serving(losing_answers(5)(api.build(town.services))) as url, Fabriek(url, token, project) as factory:

        def is_whole() -> bool:
            with suppress(Unavailable):
                return factory.lab.import_runs(str(made.folder), registered=True).is_whole
            return False

        until(is_whole)
        check_same(Mlruns(made.folder), live(factory), made)
        assert len(models(live(factory))) == 1
        (arbor,) = live(factory).registered()
        assert [one.number for one in arbor.versions] == [1, 2]


def test_an_id_that_another_run_has_is_given_up_for_the_same_one_each_time(
    town: Town, server: str, factory: Fabriek, made: Made
) -> None:
    person = town.person("weefsel")
    project = town.project(person)
    with Fabriek(server, town.services.identity.issue_token(person.person, by=person), project) as other:
        other.lab.import_runs(str(made.folder), experiments=["forests"])
        factory.lab.import_runs(str(made.folder), experiments=["forests"])
        (one,), (two,) = other.lab.runs(), factory.lab.runs()
        again = factory.lab.import_runs(str(made.folder), experiments=["forests"])
        assert again.is_whole
        assert [run.id for run in factory.lab.runs()] == [two.id]
    assert one.tags[GIVEN] == two.tags[GIVEN] == made.open
    assert len({one.id, two.id}) == 2


def test_what_was_exported_is_read_by_mlflow_and_comes_back_whole(
    factory: Fabriek, town: Town, server: str, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    factory.lab.import_runs(str(made.folder), registered=True)
    folder = tmp_path / "out" / "mlruns"
    report = factory.lab.export_runs(folder, registered=True)
    assert report.is_whole, report.failures
    check_same(live(factory), Mlruns(folder), made)
    mlflow = mlflow_at(folder, monkeypatch)
    listed = mlflow.search_runs([mlflow.get_experiment_by_name("trees").experiment_id], "metrics.`train/acc` > 1")
    ids = {one.data.tags[GIVEN] for one in listed}
    assert ids == {made.full}
    read = listed[0]
    assert (read.info.status, read.info.run_name, read.data.params["words"]) == ("FAILED", "with everything", "één\nλ")
    history = mlflow.get_metric_history(read.info.run_id, "train/acc")
    assert [one.value for one in history] == [number / 7 for number in range(MANY)]
    local = Path(mlflow.download_artifacts(read.info.run_id, "deep/weights.bin"))
    assert local.read_bytes() == bytes(range(256)) * 9000
    assert mlflow.get_model_version_by_alias("arbor", "champion").version == 2
    assert mlflow.search_logged_models([read.info.experiment_id])[0].params == {"depth": "3"}
    again = factory.lab.export_runs(folder)
    assert (again.counts["runs"].skipped, again.counts["runs"].done) == (3, 0)


def test_names_that_cannot_be_files_together_are_kept_beside(factory: Fabriek, tmp_path: Path) -> None:
    mlflow = Dialect(factory.lab.tracking_uri, factory.client.token)
    run = mlflow.post("/runs/create", experiment_id="0", start_time=1)["run"]["info"]["run_id"]
    for key in ("loss", "loss/train"):
        mlflow.post("/runs/log-batch", run_id=run, metrics=[{"key": key, "value": "NaN", "timestamp": 5, "step": 1}])
    mlflow.post("/runs/log-batch", run_id=run, params=[{"key": "a", "value": "1"}, {"key": "a/b", "value": "2"}])
    mlflow.close()
    report = factory.lab.export_runs(tmp_path / "mlruns")
    assert report.is_whole
    (read,) = runs(Mlruns(tmp_path / "mlruns"), "Default").values()
    assert (read.params, read.keys) == ({"a": "1", "a/b": "2"}, ["loss", "loss/train"])
    for key in read.keys:
        (point,) = Mlruns(tmp_path / "mlruns").points(read, key)
        assert (math.isnan(point.value), point.at_ms, point.step) == (True, 5, 1)


def test_what_cannot_be_read_is_counted_with_its_reason_and_the_rest_arrives(
    factory: Fabriek, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mlruns"
    made = fill(mlflow_at(folder, monkeypatch), folder)
    trees = next(folder.glob(f"*/{made.full}"))
    (trees / "metrics" / "loss").write_text("5 1.0 1\n5 one 2\n")
    broken = next(folder.glob(f"*/{made.deleted}"))
    (broken / "meta.yaml").write_text("")
    report = factory.lab.import_runs(str(folder))
    reasons = {one.name: one.reason for one in report.failures}
    assert "line 2 of metric loss" in reasons[f"{made.full} loss"]
    assert "empty" in reasons[made.deleted]
    assert (report.counts["runs"].found, report.counts["runs"].done, report.counts["runs"].failed) == (3, 1, 2)
    (trees / "metrics" / "loss").write_text("5 1.0 1\n5 1.0 2\n")
    mended = factory.lab.import_runs(str(folder))
    assert {one.name for one in mended.failures} == {made.deleted}
    (came,) = [one for one in factory.lab.runs() if one.id == made.full]
    assert WHOLE in came.tags


class Growing(Mlruns):
    """A folder in which somebody still writes: files are longer when they are read than when they were listed."""

    def files(self, owner: Run | Model) -> Iterator[tuple[str, int]]:
        yield from ((path, size // 2) for path, size in super().files(owner))


def test_a_file_that_grows_as_it_is_read_is_told_and_sent_again(factory: Fabriek, made: Made) -> None:
    report = Importing(factory.client, factory.client.project, Growing(made.folder)).run(experiments=["trees"])
    assert [(one.kind, "bytes when it was listed" in one.reason) for one in report.failures if one.kind == "files"] == [
        ("files", True)
    ] * report.counts["files"].failed
    assert report.counts["files"].failed > 0
    assert factory.lab.import_runs(str(made.folder)).is_whole
    check_same(Mlruns(made.folder), live(factory), made)


def test_what_fails_fails_alone_and_is_counted_also_when_it_is_no_longer_told(
    factory: Fabriek, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fabriek.sdk.tracking.report.REASONS_MAX", 0)
    folder = tmp_path / "mlruns"
    mlflow = mlflow_at(folder, monkeypatch)
    long, odd, good = (mlflow.create_run("0").info.run_id for _ in range(3))
    (folder / "0" / long / "params" / "words").write_text("a" * 70_000)
    meta = folder / "0" / odd / "meta.yaml"
    meta.write_text(meta.read_text().replace("status: 1", "status: UNFINISHED"))
    mlflow.set_terminated(good)
    report = factory.lab.import_runs(str(folder))
    assert (report.failures, report.is_whole) == ([], False)
    assert (report.counts["runs"].found, report.counts["runs"].done, report.counts["runs"].failed) == (3, 1, 2)
    assert [one.id for one in factory.lab.runs() if WHOLE in one.tags] == [good]


def test_a_point_that_was_measured_on_two_models_is_of_both(
    factory: Fabriek, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mlruns"
    mlflow = mlflow_at(folder, monkeypatch)
    run, elsewhere = mlflow.create_run("0").info.run_id, mlflow.create_experiment("elsewhere")
    home = mlflow.create_run(elsewhere).info.run_id
    both = [
        mlflow.create_logged_model(one, f"m{one}", source).model_id for one, source in (("0", run), (elsewhere, home))
    ]
    for model in both:
        mlflow.log_metric(run, "acc", 0.5, 7, 1, model_id=model)
    assert factory.lab.import_runs(str(folder)).is_whole
    source = live(factory)
    found = [model for one in source.experiments() for model in source.models(one) if isinstance(model, Model)]
    # MLflow's file store keeps the point of the model elsewhere beside the run, in a folder of that model without a record.
    assert sorted((one.name[0], [(run, key, point.value) for run, key, point in one.measured]) for one in found) == [
        ("m", [(run, "acc", 0.5)]), ("m", [(run, "acc", 0.5)]),
    ]  # fmt: skip
    (run_here,) = [one for one in factory.lab.runs() if one.id == run]
    assert [one.value for one in factory.lab.metric(run_here.id, "acc")] == [0.5]


def test_a_folder_does_not_have_other_files_sent_away(
    factory: Fabriek, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, secret = tmp_path / "mlruns", tmp_path / "private"
    secret.mkdir()
    (secret / "id_ed25519").write_text("private")
    mlflow = mlflow_at(folder, monkeypatch)
    linked = mlflow.create_run("0").info.run_id
    (folder / "0" / linked / "artifacts" / "link").symlink_to(secret)
    said = mlflow.create_run("0").info.run_id
    meta = folder / "0" / said / "meta.yaml"
    meta.write_text(meta.read_text().replace(f"{folder.as_uri()}/0/{said}/artifacts", secret.as_uri()))
    report = factory.lab.import_runs(str(folder))
    assert sorted(one.name for one in report.failures if one.kind == "files") == sorted([linked, said])
    assert all("leads out of" in one.reason for one in report.failures if one.kind == "files")
    asked = factory.lab.import_runs(str(folder), outside=True)
    assert asked.counts["files"].done == 1


def test_what_is_no_source_is_refused_before_anything_is_sent(factory: Fabriek, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="not a folder"):
        factory.lab.import_runs(str(tmp_path / "none"))
    with pytest.raises(NotFound, match="no experiments"):
        factory.lab.import_runs(str(tmp_path))
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(InvalidInput, match="something else"):
        factory.lab.export_runs(tmp_path)
    with pytest.raises(FabriekError, match="no such thing"):
        factory.lab.import_runs(f"{factory.client.url}/static")


def test_a_factory_is_a_server_to_import_from(town: Town, server: str, factory: Fabriek, made: Made) -> None:
    """And so is MLflow's own, which speaks the same; see the test that runs one where it is installed."""
    factory.lab.import_runs(str(made.folder), registered=True)
    reader = town.services.identity.caller_of(factory.client.token)
    project = town.project(reader)
    with Fabriek(server, town.services.identity.issue_token(reader.person, by=town.again(reader)), project) as other:
        report = other.lab.import_runs(factory.lab.tracking_uri, registered=True)
        assert report.is_whole, report.failures
        there, here = live(factory), live(other)
        for name in ("trees", "forests"):
            old = runs(there, name)
            new = {one.tags[GIVEN]: one for one in runs(here, name).values()}
            assert old.keys() == new.keys()
            for run, known in old.items():
                assert new[run].params == known.params
                for key in known.keys:
                    assert bits(here.points(new[run], key)) == bits(there.points(known, key))
                assert files(here, new[run]) == files(there, known)
        (arbor,) = here.registered()
        assert (arbor.aliases, len(arbor.versions)) == ({"champion": 2}, 2)


class Evil(Source):
    """A server that names places on the reader's disk."""

    where = "http://evil.example"

    def __init__(self, experiment: str = "0", run: str = "a" * 32, path: str = "fine.txt", key: str = "loss") -> None:
        self._experiment, self._run, self._path, self._key = experiment, run, path, key

    def experiments(self) -> Iterator[Experiment]:
        yield Experiment(self._experiment, "evil")

    def runs(self, experiment: Experiment) -> Iterator[Run]:
        yield Run(
            self._run,
            self._experiment,
            "n",
            "u",
            "FINISHED",
            1,
            keys=[self._key],
            params={self._key: "x"},
            outputs=[("../../m", 1)],
        )

    def points(self, run: Run, key: str) -> Iterator[Point]:
        yield Point(1.0, 1, 1)

    def models(self, experiment: Experiment) -> Iterator[Model]:
        yield from ()

    def registered(self) -> Iterator[Registered]:
        yield Registered("..")

    def files(self, owner: Run | Model) -> Iterator[tuple[str, int]]:
        yield self._path, 4

    @contextmanager
    def open(self, owner: Run | Model, path: str) -> Iterator[Iterator[bytes]]:
        yield iter([b"evil"])


@pytest.mark.parametrize(
    "said",
    [
        {"experiment": "../../../up"}, {"run": "../../up"}, {"run": "/tmp/up"}, {"path": "../../../../up"}, {"path": "/tmp/up"},
        {"path": "a/../../b"},
        {"key": "../../../../up"}, {"key": "/tmp/up"}, {"key": "a/./b"}, {"path": "a\\..\\up"},
    ],
)  # fmt: skip
def test_a_server_writes_nowhere_but_in_the_folder(tmp_path: Path, said: dict[str, str]) -> None:
    root = tmp_path / "a" / "b" / "mlruns"
    with suppress(InvalidInput):  # of an experiment, before anything is written
        assert not Exporting(Evil(**said), root).run(registered=True).is_whole
    outside = [one for one in tmp_path.rglob("*") if one.is_file() and not one.is_relative_to(root)]
    assert outside == []
    assert not Path("/tmp/up").exists()


def test_a_label_is_carried_and_never_lowered(
    factory: Fabriek, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mlruns"
    mlflow = mlflow_at(folder, monkeypatch)
    run = mlflow.create_run("0", tags={"fabriek.label": "open"}).info.run_id
    higher = mlflow.create_run("0", tags={"fabriek.label": "confidential-business"}).info.run_id
    unknown = mlflow.create_run("0", tags={"fabriek.label": "nonsense"}).info.run_id
    report = factory.lab.import_runs(str(folder))
    assert {one.id: one.label for one in factory.lab.runs()} == {run: "internal", higher: "confidential-business"}
    factory.lab.export_runs(tmp_path / "out")
    taken = runs(Mlruns(tmp_path / "out"), "Default")
    assert {one.id: one.tags["fabriek.label"] for one in taken.values()} == {
        run: "internal",
        higher: "confidential-business",
    }
    (failure,) = report.failures
    assert (failure.name, "no label" in failure.reason) == (unknown, True)
