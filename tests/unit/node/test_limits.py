"""Finding the control group that jobs go below, and what is written there. The kernel's own files are read as it writes them."""

from pathlib import Path

import pytest

from fabriek.kernel.errors import Unavailable
from fabriek.node.limits import cgroup_v1, cgroup_v2, groups, limiter, rlimits
from tests.factories.executor import a_spec

HYBRID_MOUNTS = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
HYBRID = "4:memory:/service/fabriek\n2:cpu,cpuacct:/\n1:name=systemd:/x\n0::/\n"
CONTAINER_MOUNTS = "700 600 0:32 /docker/abc /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory\n"
CONTAINER = "4:memory:/docker/abc/inner\n"


def test_a_jobs_group_goes_below_our_own() -> None:
    assert groups.own_group("memory", HYBRID_MOUNTS, HYBRID) == Path("/sys/fs/cgroup/memory/service/fabriek")
    assert groups.own_group("cpu", HYBRID_MOUNTS, HYBRID) == Path("/sys/fs/cgroup/cpu,cpuacct")
    assert groups.own_group("", HYBRID_MOUNTS, HYBRID) == Path("/sys/fs/cgroup/unified")
    assert groups.own_group("memory", CONTAINER_MOUNTS, CONTAINER) == Path("/sys/fs/cgroup/memory/inner")


def test_a_controller_that_is_not_mounted_is_a_reason() -> None:
    with pytest.raises(Unavailable, match="pids"):
        groups.own_group("pids", HYBRID_MOUNTS, HYBRID)


def a_v2_group(folder: Path, have: str, down: str) -> Path:
    folder.mkdir()
    (folder / "cgroup.controllers").write_text(have)
    (folder / "cgroup.subtree_control").write_text(down)
    return folder


def test_a_group_that_has_what_is_needed_hands_it_down(tmp_path: Path) -> None:
    own = a_v2_group(tmp_path / "own", "cpu memory pids io\n", "\n")
    assert cgroup_v2.handing_down(own) == own
    assert (own / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"


def test_without_memory_no_group_is_taken(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        cgroup_v2.handing_down(a_v2_group(tmp_path / "own", "hugetlb\n", "\n"))


def test_the_bounds_are_written_as_the_kernel_reads_them(tmp_path: Path) -> None:
    for name in ("memory.swap.max", "memory.oom.group", "cpu.max"):
        (tmp_path / name).touch()
    cgroup_v2.bound(tmp_path, a_spec("true", cpus=2, memory_bytes=2**30, processes_max=99))
    written = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert written == {
        "memory.max": str(2**30), "pids.max": "99", "memory.swap.max": "0", "memory.oom.group": "1", "cpu.max": "200000 100000",
    }  # fmt: skip


def test_memory_that_was_exceeded_is_seen_in_either_version(tmp_path: Path) -> None:
    (tmp_path / "memory.events").write_text("low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\n")
    (tmp_path / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")
    assert cgroup_v2.CgroupV2(tmp_path).exceeded(1)
    assert cgroup_v1.CgroupV1({"memory": tmp_path}).exceeded(1)
    (tmp_path / "memory.events").write_text("oom_kill 0\n")
    assert not cgroup_v2.CgroupV2(tmp_path).exceeded(1)


def test_a_job_that_nothing_bounds_is_refused_with_every_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "mountinfo").write_text("")
    (tmp_path / "cgroup").write_text("")
    monkeypatch.setattr(groups, "MOUNTS", tmp_path / "mountinfo")
    monkeypatch.setattr(groups, "MEMBERSHIP", tmp_path / "cgroup")
    monkeypatch.setattr(rlimits, "COUNTED_PER_NAMESPACE", (999, 0))
    with pytest.raises(Unavailable, match=r"memory is mounted; .*version 2 is mounted; "):
        limiter.limiter(a_spec("true"), None)
    assert limiter.limiter(a_spec("true"), 200_000).kind == "resource limits"


def test_jobs_of_one_id_in_two_homes_have_groups_of_their_own() -> None:
    first, second = a_spec(job="job_1", folder="/a/job_1-1"), a_spec(job="job_1", folder="/b/job_1-1")
    assert groups.name_of(first) != groups.name_of(second)
    assert groups.name_of(first) == groups.name_of(a_spec(job="job_1", folder="/a/job_1-1"))
