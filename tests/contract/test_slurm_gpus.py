"""GPUs on a real cluster: a job sees those that it was granted, and no other. Their device files belong to no driver, so that a granted one
answers that there is no such device, and one that is kept from the job that it is not permitted.
"""

import errno
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from fabriek.compute.executors.contract import Handle, ObservedState, Phase
from fabriek.compute.executors.slurm import SlurmExecutor
from fabriek.compute.executors.slurm_notes import noted_in
from fabriek.kernel.errors import InvalidInput
from tests.factories.executor import a_spec
from tests.factories.waiting import until
from tests.servers import slurm
from tests.servers.machine import why_no_sandbox
from tests.servers.on_slurm import on_slurm

pytestmark = [pytest.mark.sandbox, pytest.mark.slurm]

LOOK = f"""
import json, os, sys
answers = {{}}
for number in range({slurm.GPUS_PER_NODE}):
    try:
        os.open(sys.argv[1] + str(number), os.O_RDWR)
        answers[number] = 0
    except OSError as error:
        answers[number] = error.errno
print(json.dumps({{"answers": list(answers.values()), "visible": os.environ.get("CUDA_VISIBLE_DEVICES", "none"),
                   "count": os.environ.get("SLURM_GPUS_ON_NODE", "")}}), flush=True)
__import__("time").sleep(float(sys.argv[2]))
"""


@pytest.fixture
def executor(any_slurm_cluster: slurm.Cluster) -> Iterator[SlurmExecutor]:
    if reason := why_no_sandbox():
        pytest.skip(f"no sandbox here: {reason}")
    with on_slurm(any_slurm_cluster) as made:
        yield made


def looking(
    executor: SlurmExecutor, cluster: slurm.Cluster, lab: Path, gpus: int, *, stays: float = 0, **more: Any
) -> Handle:
    devices = f"{cluster.base}/gpu"
    spec = a_spec(
        "python3", "-c", LOOK, devices, str(stays), gpus=gpus, lab_socket_dir=str(lab), gpu_devices=devices, **more
    )
    return executor.submit(spec)


def over(executor: SlurmExecutor, handle: Handle) -> ObservedState:
    until(lambda: executor.poll([handle])[0].phase in {Phase.DONE, Phase.LOST})
    return executor.poll([handle])[0]


def saw(executor: SlurmExecutor, handle: Handle) -> Mapping[str, Any]:
    until(lambda: executor.logs(handle, 0, 1000).endswith(b"}\n") or executor.poll([handle])[0].reason)
    found = json.loads(executor.logs(handle, 0, 1000))
    assert isinstance(found, dict)
    return found


def test_within_walls_there_are_the_granted_gpus_alone_counted_from_0(
    executor: SlurmExecutor, any_slurm_cluster: slurm.Cluster, tmp_path: Path
) -> None:
    seen = saw(executor, looking(executor, any_slurm_cluster, tmp_path, 2))
    assert sorted(seen["answers"]) == sorted([errno.ENXIO] * 2 + [errno.ENOENT] * 2)
    assert seen["visible"] == "0,1"


def test_a_job_that_asked_for_none_has_none(
    executor: SlurmExecutor, any_slurm_cluster: slurm.Cluster, tmp_path: Path
) -> None:
    seen = saw(executor, looking(executor, any_slurm_cluster, tmp_path, 0))
    assert seen["answers"] == [errno.ENOENT] * slurm.GPUS_PER_NODE
    assert seen["visible"] == "none"


def test_two_jobs_on_one_node_have_not_one_gpu_in_common(
    executor: SlurmExecutor, any_slurm_cluster: slurm.Cluster, tmp_path: Path
) -> None:
    for number in range(2, slurm.NODES + 1):
        any_slurm_cluster.command(
            "scontrol", "update", f"NodeName={any_slurm_cluster.node(number)}", "State=DRAIN", "Reason=test"
        )
    try:
        both = [looking(executor, any_slurm_cluster, tmp_path, 2, stays=600) for _ in range(2)]
        answers = [saw(executor, one)["answers"] for one in both]
        assert [one == errno.ENXIO for one in answers[0]] == [one != errno.ENXIO for one in answers[1]]
        for one in both:
            executor.cancel(one)
            over(executor, one)
    finally:
        for number in range(2, slurm.NODES + 1):
            any_slurm_cluster.command(
                "scontrol", "update", f"NodeName={any_slurm_cluster.node(number)}", "State=RESUME"
            )


def test_without_walls_the_kernel_keeps_the_others_from_it(
    executor: SlurmExecutor, any_slurm_cluster: slurm.Cluster, tmp_path: Path
) -> None:
    seen = saw(executor, looking(executor, any_slurm_cluster, tmp_path, 1, unsandboxed=True))
    assert sorted(seen["answers"]) == sorted([errno.ENXIO] + [errno.EPERM] * 3)
    assert seen["visible"] == "0"


def test_the_accounts_say_how_many_it_had(
    executor: SlurmExecutor, any_slurm_cluster: slurm.Cluster, tmp_path: Path
) -> None:
    handle = looking(executor, any_slurm_cluster, tmp_path, 3)
    assert over(executor, handle).exit_code == 0
    account = until(lambda: executor.accounts([handle])[0])
    assert account is not None
    assert "gres/gpu=3" in account.allocated
    assert noted_in(executor._folders.of(handle)) is not None


def test_more_than_a_node_has_is_refused(
    executor: SlurmExecutor, any_slurm_cluster: slurm.Cluster, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match="Slurm refused"):
        looking(executor, any_slurm_cluster, tmp_path, slurm.GPUS_PER_NODE + 1)


def test_a_granted_gpu_without_its_device_file_ends_the_job_with_the_reason(
    executor: SlurmExecutor, tmp_path: Path
) -> None:
    handle = executor.submit(a_spec("true", gpus=1, lab_socket_dir=str(tmp_path), gpu_devices="/nowhere/gpu"))
    assert "is not on this machine" in over(executor, handle).reason
