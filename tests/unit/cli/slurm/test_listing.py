"""Lines of squeue, sacct and sinfo, in the forms that clients read."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from fabriek.cli.slurm import command, listing, sacct, scancel, scontrol, sinfo
from fabriek.cli.slurm.states import state_of
from fabriek.schemas.base import PageOut
from fabriek.schemas.compute import JobOut, MachineOut

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def a_job(number: str = "17", **changes: Any) -> JobOut:
    fields: dict[str, Any] = {
        "id": f"job_{number}", "project": "p", "name": "train", "state": "running", "reason": "", "command": ["true"], "inputs": [],
        "label": "open", "purpose": "civilian", "share": "shr_1", "gpus": 0, "cpus": 2, "memory_bytes": 2**30, "wall_seconds_max": 5_400,
        "priority": "normal", "submitted_at": NOON, "started_at": NOON, "number": number, "raw_number": number.partition("_")[0],
    }  # fmt: skip
    return JobOut(**(fields | changes))


class Jobs:
    """Answers as the factory would, and remembers what was asked of it."""

    def __init__(self, *jobs: JobOut) -> None:
        self.jobs, self.asked = jobs, []

    def list(self, *, named: list[str] | None = None, active: bool = False, cursor: str = "") -> PageOut[JobOut]:
        ended = {"succeeded", "failed", "cancelled", "lost"}
        kept = [
            job
            for job in self.jobs
            if (job.number.partition("_")[0] in named or job.number in named if named else True)
        ]
        return PageOut[JobOut](
            items=[job for job in kept if not active or job.state not in ended][:: -1 if not named else 1]
        )

    def machine(self) -> MachineOut:
        return MachineOut(
            nodes=1,
            cpus=8,
            cpus_used=6,
            gpus=2,
            gpus_used=1,
            memory_bytes=2**34,
            memory_bytes_used=2**30,
            running=3,
            queued=1,
        )

    def cancel(self, job: str) -> None:
        self.asked.append(("cancel", job))

    def signal(self, job: str, name: str) -> None:
        self.asked.append((name, job))

    def requeue(self, job: str) -> None:
        self.asked.append(("requeue", job))


Say = Callable[..., tuple[int, str]]


@pytest.fixture
def with_jobs(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Jobs]:
    def made(*jobs: JobOut) -> Jobs:
        answering = Jobs(*jobs)
        for module in (listing, sinfo, scancel, scontrol):
            monkeypatch.setattr(module, "connect", lambda: SimpleNamespace(jobs=answering))
        return answering

    return made


def test_squeue_answers_batchspawner_and_psij(
    with_jobs: Callable[..., Jobs], capsys: pytest.CaptureFixture[str]
) -> None:
    with_jobs(a_job(), a_job("18_0", state="queued", started_at=None), a_job("19", state="succeeded"))
    assert command.main("squeue", ["-h", "-j", "17", "-o", "%T %B"]) == 0
    assert command.main("squeue", ["--me", "-o", "%i", "-h", "-r", "-t", "all"]) == 0
    assert command.main("squeue", ["-h", "-o", "%.6i|%t|%R|%l"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "RUNNING job",
        "17",
        "18_0",
        "19",
        "    17|R|job|1:30:00",
        "  18_0|PD|(Resources)|1:30:00",
    ]


def test_squeue_refuses_a_job_that_is_not_there_and_a_letter_that_means_nothing(
    with_jobs: Callable[..., Jobs], capsys: pytest.CaptureFixture[str]
) -> None:
    with_jobs(a_job())
    assert command.main("squeue", ["-j", "99"]) == 1
    assert command.main("squeue", ["-o", "%y"]) == 1
    assert capsys.readouterr().err.startswith(
        "squeue: error: Invalid job id specified\nsqueue: error: Invalid job format"
    )


def test_sacct_answers_submitit_and_parsl(with_jobs: Callable[..., Jobs], capsys: pytest.CaptureFixture[str]) -> None:
    ended = NOON + timedelta(hours=25)
    with_jobs(
        a_job("17", state="succeeded", ended_at=ended, exit_code=0), a_job("18_1", state="failed", reason="the time limit of 9 s was reached",
              exit_code=143),
    )  # fmt: skip
    assert sacct.run(["-o", "JobID,State,NodeList", "--parsable2", "-j", "17", "-j", "18", "-j", "99"]) == 0
    assert (
        sacct.run(["-X", "--noheader", "-P", "--format=JobID,Elapsed,ExitCode,AllocTRES", "--jobs=17,18_1.batch"]) == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["JobID|State|NodeList", "17|COMPLETED|job", "18_1|TIMEOUT|job"]
    assert lines[3] == "17|1-01:00:00|0:0|billing=2,cpu=2,mem=1024M,node=1"
    assert lines[4].split("|")[2] == "0:15"
    assert command.main("sacct", ["-o", "Nonsense"]) == 1
    assert 'Invalid field requested: "Nonsense"' in capsys.readouterr().err


def test_sinfo_answers_dask(with_jobs: Callable[..., Jobs], capsys: pytest.CaptureFixture[str]) -> None:
    with_jobs()
    assert sinfo.run(["-h", "-o", "%C"]) == 0
    assert sinfo.run([]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "6/2/0/8"


def test_scancel_stops_signals_and_is_quiet_where_asked(
    with_jobs: Callable[..., Jobs], capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = with_jobs(a_job(), a_job("18_0"), a_job("18_1", state="succeeded"))
    assert command.main("scancel", ["17", "--signal", "SIGUSR2"]) == 0
    assert command.main("scancel", ["-b", "-s", "TERM", "17"]) == 0
    assert command.main("scancel", ["18"]) == 0
    assert command.main("scancel", ["-Q", "99"]) == 0
    assert command.main("scancel", ["99"]) == 1
    assert command.main("scancel", []) == 1
    assert jobs.asked == [("steps:USR2", "job_17"), ("TERM", "job_17"), ("cancel", "job_18_0")]
    assert "Invalid job id" in capsys.readouterr().err


def test_scontrol_requeues_and_shows(with_jobs: Callable[..., Jobs], capsys: pytest.CaptureFixture[str]) -> None:
    jobs = with_jobs(a_job())
    assert command.main("scontrol", ["requeue", "17"]) == 0
    assert command.main("scontrol", ["show", "job", "17"]) == 0
    assert command.main("scontrol", ["show", "hostnames", "a,b"]) == 0
    assert command.main("scontrol", ["shutdown"]) == 1
    assert jobs.asked == [("requeue", "job_17")]
    assert "JobState=RUNNING" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("state", "reason", "word"),
    [
        ("failed", "", "FAILED"), ("failed", "the memory limit of 9 MiB was exceeded", "OUT_OF_MEMORY"), ("lost", "", "NODE_FAIL"),
        ("cancelled", "it could not have ended by its deadline, x", "DEADLINE"), ("starting", "", "PENDING"), ("suspended", "", "REQUEUED"),
    ],
)  # fmt: skip
def test_every_state_has_a_word(state: str, reason: str, word: str) -> None:
    assert state_of(a_job(state=state, reason=reason)) == word


def test_the_version_is_one_that_clients_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main("sbatch", ["--version"]) == 0
    assert capsys.readouterr().out.startswith("slurm 22.05")
