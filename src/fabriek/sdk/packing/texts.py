"""What stands in the files of a pack. Pure: the same pack gives the same bytes; what people chose is quoted, and never in a directive."""

import json
import shlex
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from fabriek.kernel.dated import shipped
from fabriek.schemas.packs import PackOut
from fabriek.sealing.manifest import File

MIB = 2**20


def input_folder(number: int, dataset: str) -> str:
    """`1-biopsies`: below `inputs/`; numbered, since two projects may have a dataset of one name."""
    return f"{number}-{dataset}"


def job_script(pack: PackOut) -> str:
    """`job.sh`. Directives hold numbers and the pack's id, nothing else."""
    gpus = f"#SBATCH --gpus-per-node={pack.gpus}" if pack.gpus else "#"
    lines = []
    for name, value in sorted(pack.environment.items()):
        lines += [f"export {name}={shlex.quote(value)}", f"export APPTAINERENV_{name}={shlex.quote(value)}"]
    folders = [input_folder(number, one.dataset) for number, one in enumerate(pack.inputs, 1)]
    return _filled(
        shipped("fabriek.sdk", "job.sh"),
        PACK=pack.id, CPUS=str(pack.cpus), MEMORY=str(-(-pack.memory_bytes // MIB)), TIME=slurm_time(pack.wall_seconds_max), GPUS=gpus,
        COMMAND=shlex.join(pack.command), INPUTS=shlex.join(folders), MOUNTS=shlex.join(one.mount for one in pack.inputs),
        NVIDIA="--nv" if pack.gpus else "", ENVIRONMENT="\n".join(lines),
    )  # fmt: skip


def slurm_time(seconds: int) -> str:
    """`1-02:03:04`, as sbatch reads it."""
    whole = timedelta(seconds=seconds)
    hours, rest = divmod(whole.seconds, 3600)
    return f"{whole.days}-{hours:02}:{rest // 60:02}:{rest % 60:02}"


def readme(pack: PackOut) -> str:
    if not pack.inputs:
        data = "It reads no data."
    elif pack.stays:
        data = f"The data is not in here ({pack.stays}); `inputs.json` lists what belongs into `inputs/`, and says by which hash it is known."
    else:
        data = "The data is in `inputs/`, in plain; `inputs.json` lists every file."
    return _filled(
        shipped("fabriek.sdk", "pack-readme.md"),
        PACK=pack.id, PROJECT=pack.project, PURPOSE=pack.purpose.replace("_", " "), LABEL=pack.label, DATA=data,
    )  # fmt: skip


def container_definition(python: str, *, requirements: bool) -> str:
    """For `apptainer build`. python: `3.11`."""
    files = "\n%files\n    requirements.txt /requirements.txt\n" if requirements else ""
    install = "\n    python -m pip install --no-cache-dir -r /requirements.txt" if requirements else ""
    return f"Bootstrap: docker\nFrom: docker.io/library/python:{python}-slim\n{files}\n%post\n    mkdir -p /output /home/job{install}\n"


def containerfile(python: str, *, requirements: bool) -> str:
    """The same for `podman build` or `docker build`."""
    install = (
        "COPY requirements.txt /requirements.txt\nRUN python -m pip install --no-cache-dir -r /requirements.txt\n"
        if requirements
        else ""
    )
    return f"FROM docker.io/library/python:{python}-slim\nRUN mkdir -p /output /home/job\n{install}WORKDIR /home/job\n"


def pack_json(pack: PackOut) -> str:
    """What the pack is. job.sh knows its folder by the id in here."""
    shown = pack.model_dump(mode="json", exclude={"inputs", "state", "site", "exit_code", "output", "checksums"})
    return json.dumps(shown, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def inputs_json(pack: PackOut, files: Mapping[int, Sequence[File]]) -> str:
    """What the job reads. files: of each input (from 1 on) whose data goes along; names and hashes of files are the data's own, and go with it."""
    rows = [_input(number, one.model_dump(mode="json"), files.get(number)) for number, one in enumerate(pack.inputs, 1)]
    said = {"pack": pack.id, "data_included": bool(pack.inputs) and not pack.stays, "stays": pack.stays, "inputs": rows}
    return json.dumps(said, indent=1, ensure_ascii=False) + "\n"


def _input(number: int, shown: dict[str, Any], files: Sequence[File] | None) -> dict[str, Any]:
    row = {"folder": f"inputs/{input_folder(number, shown['dataset'])}", **shown}
    if files is not None:
        row["files"] = [
            {"path": one.path, "link": one.link}
            if one.link
            else {"path": one.path, "size": one.size, "digest" if one.blocks else "sha256": one.sha256}
            for one in files
        ]
    return row


def _filled(template: str, **values: str) -> str:
    """Marks are filled in one pass: what a value holds is never taken for a mark."""
    parts = template.split("@")
    whole = parts[0]
    at = 1
    while at < len(parts):
        if parts[at] in values and at + 1 < len(parts):
            whole += values[parts[at]] + parts[at + 1]
            at += 2
        else:
            whole += "@" + parts[at]
            at += 1
    return whole
