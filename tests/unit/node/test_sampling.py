"""What is looked at and when, and how the driver's program is read."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from fabriek.node import sampling
from fabriek.node.limits import cgroup_v1, cgroup_v2
from fabriek.node.sampling import Look, Sampling, read_gpus, sampling_of
from tests.factories.executor import a_spec

ENVIRONMENT = {"MLFLOW_TRACKING_TOKEN": "t", "MLFLOW_RUN_ID": "r"}


@dataclass
class Told:
    """Who is told, in place of a process."""

    looks: list[Look]
    over: bool = False

    def tell(self, look: Look) -> None:
        self.looks.append(look)

    def end(self) -> None:
        self.over = True


def a_v2_group(folder: Path, seconds: float) -> cgroup_v2.CgroupV2:
    (folder / "cpu.stat").write_text(f"usage_usec {int(seconds * 1e6)}\nuser_usec 1\n")
    (folder / "memory.current").write_text("300000000\n")
    (folder / "memory.stat").write_text("anon 1\ninactive_file 100000000\n")
    return cgroup_v2.CgroupV2(folder)


def test_pages_of_files_that_nobody_needs_are_not_the_jobs(tmp_path: Path) -> None:
    assert a_v2_group(tmp_path, 0).memory_bytes_held() == 200_000_000
    (tmp_path / "memory.usage_in_bytes").write_text("50\n")
    (tmp_path / "memory.stat").write_text("total_inactive_file 20\n")
    assert cgroup_v1.CgroupV1({"memory": tmp_path}).memory_bytes_held() == 30


def test_looks_come_early_then_at_their_pace_then_slower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("fabriek.node.sampling.time.monotonic", lambda: clock[0])
    told = Told([])
    job = a_spec(cpus=2, memory_bytes=400_000_000, sample_seconds=10.0)
    seen = Sampling(job, a_v2_group(tmp_path, 0), lambda: told)
    for _ in range(2 * 3600 // 5):
        clock[0] += 5
        a_v2_group(tmp_path, clock[0] - 100)
        seen.look()
    seen.end()
    assert [one.number for one in told.looks] == list(range(len(told.looks)))
    assert 500 < len(told.looks) < 560, "360 in the first hour, half as many in the second"
    assert told.looks[0].values == pytest.approx(
        {
            "cpu_utilization_percentage": 50.0,
            "system_memory_usage_megabytes": 200.0,
            "system_memory_usage_percentage": 50.0,
        }
    )
    assert list(told.looks[-1].values) == ["cpu_utilization_percentage"]
    assert told.over


def test_a_job_that_is_over_before_the_first_look_starts_nothing(tmp_path: Path) -> None:
    told = Told([])
    seen = Sampling(a_spec(sample_seconds=10.0), a_v2_group(tmp_path, 0), lambda: told)
    seen.look()
    seen.end()
    assert (told.looks, told.over) == ([], False)


@pytest.mark.parametrize(("environment", "seconds"), [({}, 10.0), (ENVIRONMENT, 0.0)])
def test_without_a_run_or_a_pace_nothing_is_looked_at(
    tmp_path: Path, environment: dict[str, str], seconds: float
) -> None:
    job = a_spec(environment=environment, sample_seconds=seconds)
    assert sampling_of(job, a_v2_group(tmp_path, 0), "/nowhere", None) is None


def test_what_a_gpu_does_not_know_is_left_out_and_gpus_count_from_0() -> None:
    said = "4, 87, 20480, 40960, 251.13\n5, 0, 1, 40960, [N/A]\n"
    assert read_gpus(said) == pytest.approx({
        "gpu_0_utilization_percentage": 87.0, "gpu_0_memory_usage_megabytes": 21474.8, "gpu_0_memory_usage_percentage": 50.0,
        "gpu_0_power_usage_watts": 251.13, "gpu_1_utilization_percentage": 0.0, "gpu_1_memory_usage_megabytes": 1.05,
        "gpu_1_memory_usage_percentage": 0.00244,
    }, rel=1e-2)  # fmt: skip


def test_a_machine_without_the_drivers_program_says_nothing_of_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert sampling.gpus_now([0]) == {}


def test_a_job_does_not_end_because_it_could_not_be_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("fabriek.node.sampling.time.monotonic", lambda: clock[0])
    tries = []

    def start() -> Told:
        tries.append(clock[0])
        raise BlockingIOError("no more processes")

    seen = Sampling(a_spec(sample_seconds=10.0), a_v2_group(tmp_path, 0), start)
    for _ in range(3):
        clock[0] += 20
        seen.look()
    seen.end()
    assert tries == [120.0]


def test_members_on_several_nodes_have_names_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[object, ...]] = []
    monkeypatch.setattr(sampling, "Lab", lambda *told: made.append(told))
    monkeypatch.setattr(sampling, "Telling", lambda make, gpus, uid: (make(), made.append((tuple(gpus), uid)))[1])
    job = a_spec(environment=ENVIRONMENT, sample_seconds=10.0, spread=("srun",), member=3, devices=((4, 5),))
    found = sampling_of(job, a_v2_group(tmp_path, 0), "/lab", 200_000)
    assert found is not None
    found._start()
    assert made == [(Path("/lab"), "t", "r", "system/member-3/"), ((4, 5), 200_000)]
