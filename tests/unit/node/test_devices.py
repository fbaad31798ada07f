from dataclasses import replace
from pathlib import Path

from fabriek.node.batch import given_by
from fabriek.node.devices import device_files, gpu_variables
from tests.factories.executor import a_spec


def test_a_job_is_shown_its_own_devices_and_what_all_of_them_need(tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidia1", "nvidia2", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / name).touch()
    assert [one.name for one in device_files({2, 0, 9}, f"{tmp_path}/nvidia")] == [
        "nvidia0",
        "nvidia2",
        "nvidiactl",
        "nvidia-uvm",
    ]
    assert list(device_files((), f"{tmp_path}/nvidia")) == []


def test_behind_walls_devices_count_from_zero_and_without_them_as_the_machine_does() -> None:
    walled = a_spec(gpus=2, devices=((4, 6),))
    assert gpu_variables(walled) == {"CUDA_VISIBLE_DEVICES": "0,1", "SLURM_JOB_GPUS": "4,6"}
    bare = a_spec(gpus=2, devices=((4, 6),), unsandboxed=True)
    assert gpu_variables(bare)["CUDA_VISIBLE_DEVICES"] == "4,6"
    assert gpu_variables(replace(bare, gpus_visible="0,1"))["CUDA_VISIBLE_DEVICES"] == "0,1"
    assert gpu_variables(a_spec()) == {}


def test_a_part_is_told_how_large_it_is() -> None:
    assert gpu_variables(a_spec(gpu_part_milli=250, devices=((3,),)))["FABRIEK_GPU_PART"] == "0.25"


def test_on_slurm_the_devices_are_those_that_slurm_gave() -> None:
    assert given_by({"SLURM_JOB_GPUS": "2,3", "CUDA_VISIBLE_DEVICES": "0,1"}) == (2, 3)
    assert given_by({"CUDA_VISIBLE_DEVICES": "1"}) == (1,)
    assert (
        given_by({"CUDA_VISIBLE_DEVICES": "GPU-8f1a"})
        == given_by({"CUDA_VISIBLE_DEVICES": "NoDevFiles"})
        == given_by({})
        == ()
    )
