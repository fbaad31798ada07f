"""What only the REST interface has: tokens, its own daemon, and questions that must stay small. On a real slurmrestd."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from fabriek.compute.executors.slurm_dialect import BatchJob
from fabriek.compute.executors.slurm_rest import REASONS_AT_ONCE, SlurmRest
from fabriek.compute.executors.slurm_restd import Restd
from fabriek.compute.executors.slurm_tokens import Tokens
from fabriek.kernel.clock import Clock, FakeClock, SystemClock
from fabriek.kernel.errors import InvalidInput, Unavailable
from tests.factories.waiting import until
from tests.servers import slurm, slurm_rest

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("slurm-rest")]


class Counting(Restd):
    """Counts what is asked, by method and path without ids."""

    def __init__(self, address: str, tokens: Tokens) -> None:
        super().__init__(address, tokens)
        self.paths: list[str] = []

    def ask(self, method: str, path: str, **rest: object) -> dict[str, object]:  # type: ignore[override]
        self.paths.append(path)
        return super().ask(method, path, **rest)  # type: ignore[arg-type]


@pytest.fixture
def cluster(newer_slurm_cluster: slurm.Cluster) -> slurm.Cluster:
    return newer_slurm_cluster


@pytest.fixture
def restd(cluster: slurm.Cluster) -> Counting:
    return Counting(slurm_rest.url_of(cluster.base), tokens_of(cluster))


def tokens_of(cluster: slurm.Cluster, user: str = "root", clock: Clock | None = None) -> Tokens:
    return Tokens(slurm_rest.key_of(cluster.base), user, clock or SystemClock())


def a_batch(name: str, script: str = "sleep 600", **changes: object) -> BatchJob:
    fields: dict[str, object] = {
        "name": name, "script": f"#!/bin/sh\n{script}\n", "minutes": 5, "cpus": 1, "memory_mib": 16, "output": "/dev/null", "account": slurm.ACCOUNT,
    }  # fmt: skip
    return BatchJob(**(fields | changes))  # type: ignore[arg-type]


def test_through_its_socket_it_is_the_same(cluster: slurm.Cluster) -> None:
    rest = SlurmRest(Restd(slurm_rest.socket_of(cluster.base), tokens_of(cluster)))
    job_id = rest.submit(a_batch("fabriek-socket-1"))
    assert rest.in_queue([job_id])[job_id].name == "fabriek-socket-1"
    rest.cancel(job_id)
    until(lambda: rest.in_queue([job_id])[job_id].state == "CANCELLED")


def test_states_are_asked_for_our_own_jobs_and_names_only_once(restd: Counting) -> None:
    rest = SlurmRest(restd)
    ids = [rest.submit(a_batch(f"fabriek-many-{number}", "true")) for number in range(4)]
    until(lambda: {one.state for one in rest.in_queue(ids).values()} == {"COMPLETED"})
    restd.paths.clear()
    assert len(rest.in_queue(ids)) == 4
    assert restd.paths == ["/slurm/v0.0.42/jobs/state/", "/slurm/v0.0.42/diag/"]


def test_however_many_wait_few_are_asked_why(cluster: slurm.Cluster, restd: Counting) -> None:
    rest = SlurmRest(restd)
    cluster.command("scontrol", "update", "PartitionName=batch", "State=DOWN")
    try:
        ids = [rest.submit(a_batch(f"fabriek-wait-{number}")) for number in range(REASONS_AT_ONCE + 5)]
        rest.in_queue(ids)
        restd.paths.clear()
        rest.in_queue(ids)
        assert len(restd.paths) == REASONS_AT_ONCE + 2
        assert {one.reason for one in rest.in_queue(ids).values()} == {"PartitionDown"}
        for job_id in ids:
            rest.cancel_waiting(job_id)
        assert {one.state for one in rest.in_queue(ids).values()} == {"CANCELLED"}
    finally:
        cluster.command("scontrol", "update", "PartitionName=batch", "State=UP")


def test_a_job_is_found_by_its_name_at_once_and_when_the_controller_has_forgotten_it(
    cluster: slurm.Cluster, restd: Counting
) -> None:
    rest = SlurmRest(restd)
    job_id = rest.submit(a_batch("fabriek-named-1", "true"))
    assert SlurmRest(restd).named("fabriek-named-1") == [job_id]
    until(lambda: rest.ended(job_id, "fabriek-named-1") == "COMPLETED")
    assert SlurmRest(restd).named("fabriek-named-1") == [job_id]
    assert rest.ended(job_id, "fabriek-of-another-1") == ""
    assert SlurmRest(restd).named("fabriek-never-1") == []


def test_a_job_that_runs_is_not_ended_by_cancelling_what_waits(restd: Counting) -> None:
    rest = SlurmRest(restd)
    job_id = rest.submit(a_batch("fabriek-runs-1"))
    until(lambda: rest.in_queue([job_id])[job_id].state == "RUNNING")
    rest.cancel_waiting(job_id)
    assert rest.in_queue([job_id])[job_id].state == "RUNNING"
    rest.cancel(job_id)
    until(lambda: rest.in_queue([job_id])[job_id].state == "CANCELLED")
    rest.cancel(job_id)
    rest.cancel("4000000")


def test_a_held_job_is_let_go(cluster: slurm.Cluster, restd: Counting) -> None:
    rest = SlurmRest(restd)
    cluster.command("scontrol", "update", "PartitionName=batch", "State=DOWN")
    job_id = rest.submit(a_batch("fabriek-held-1", "true"))
    cluster.command("scontrol", "hold", job_id)
    cluster.command("scontrol", "update", "PartitionName=batch", "State=UP")
    until(lambda: rest.in_queue([job_id])[job_id].reason == "JobHeldAdmin")
    rest.let_go(job_id)
    until(lambda: rest.in_queue([job_id])[job_id].state == "COMPLETED")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"partition": "nowhere"}, "Invalid partition name"),
        ({"account": "nobodys"}, "Invalid account"),
        ({"cpus": slurm.CPUS_PER_NODE + 1}, "node configuration is not available"),
        ({"gres": "quantum:1"}, "generic resource"),
    ],
)
def test_a_500_with_a_reason_in_it_is_a_refusal(restd: Counting, changes: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        SlurmRest(restd).submit(a_batch("fabriek-refused-1", **changes))


def _of_another_key(cluster: slurm.Cluster, folder: Path) -> Tokens:
    key = folder / "other.key"
    key.write_bytes(b"x" * 32)
    return Tokens(key, "root", SystemClock())


def _too_old(cluster: slurm.Cluster, folder: Path) -> Tokens:
    return tokens_of(cluster, clock=FakeClock())


@pytest.mark.parametrize("made", [_of_another_key, _too_old])
def test_a_token_that_slurm_does_not_take_is_told_without_the_token(
    cluster: slurm.Cluster,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    made: Callable[[slurm.Cluster, Path], Tokens],
) -> None:
    tokens = made(cluster, tmp_path)
    caplog.set_level(logging.DEBUG)
    with pytest.raises(Unavailable, match="does not take our token") as caught:
        SlurmRest(Restd(slurm_rest.url_of(cluster.base), tokens)).submit(a_batch("fabriek-stranger-1"))
    assert "slurm_jwt_key" in caught.value.fix
    start = tokens.headers()["X-SLURM-USER-TOKEN"].split(".")[0]
    assert start not in caplog.text + caught.value.detail


def test_a_job_belongs_to_the_user_of_the_token(cluster: slurm.Cluster) -> None:
    cluster.command("sacctmgr", "-i", "add", "user", "name=nobody", f"account={slurm.ACCOUNT}")
    rest = SlurmRest(Restd(slurm_rest.url_of(cluster.base), tokens_of(cluster, "nobody")))
    job_id = rest.submit(a_batch("fabriek-nobodys-1"))
    assert cluster.command("squeue", "-h", "-j", job_id, "-o", "%u").strip() == "nobody"
    rest.cancel(job_id)


def test_who_is_impatient_is_told_so_and_a_daemon_that_comes_back_is_used_again(
    cluster: slurm.Cluster, restd: Counting
) -> None:
    hasty = SlurmRest(Restd(slurm_rest.url_of(cluster.base), tokens_of(cluster), patience_seconds=0.5))
    cluster.kill("slurmctld")
    try:
        with pytest.raises(Unavailable, match="not answer in time"):
            hasty.in_queue(["1"])
    finally:
        cluster.start_controller()
        until(cluster.is_up)
    cluster.kill("slurmrestd")
    try:
        with pytest.raises(Unavailable, match="slurmrestd at"):
            SlurmRest(restd).in_queue(["1"])
    finally:
        slurm_rest.start(cluster)
    assert SlurmRest(restd).in_queue(["4000000"]) == {}
