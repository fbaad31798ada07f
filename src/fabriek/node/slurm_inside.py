"""Inside the walls: `srun` and `scontrol`, as far as scripts written for Slurm call them within a job.

Runs as `python -I -S slurm_inside.py NAME WORDS…` with the standard library alone. `slurm-batch` becomes the batch script. `srun` starts
the command once for each task, with its number in SLURM_PROCID, its output where `--output` says; its exit code is the highest of them.
`scontrol requeue` asks for this job to be run again, `scontrol show hostnames` writes a node list out, a name on each line. The other
commands of Slurm are there to say why they do nothing: a job's own token opens its run alone, and submits or shows no job.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping

AGAIN = os.path.join(os.environ.get("FABRIEK_DOOR", "/run/job"), "again")  # noqa: PTH118

OUTSIDE = ("sbatch", "squeue", "sacct", "scancel", "sinfo")
"""A name that is not found would be taken for a machine without Slurm, and programs go another way or say nothing of use."""

FOLDER_SECONDS = 30
"""How long a job waits for the folder of its output. Clients name one after the job's number, and make it once sbatch has told them that: under
Slurm they have a second or more, here a job may begin before they have read the answer.
"""

FOLDER_LOOK_SECONDS = 0.05

WITH_VALUE = frozenset({
    "output", "error", "input", "ntasks", "cpus-per-task", "nodes", "job-name", "ntasks-per-node", "time", "mem", "mem-per-cpu",
    "gres", "gpus", "gpus-per-node", "gpus-per-task", "partition", "account", "cpu-bind", "mpi", "chdir", "export", "nodelist",
    "distribution", "open-mode", "qos", "constraint", "jobid",
})  # fmt: skip
SHORT = {
    "o": "output",
    "e": "error",
    "i": "input",
    "n": "ntasks",
    "c": "cpus-per-task",
    "N": "nodes",
    "J": "job-name",
    "t": "time",
}
SHORT |= {
    "p": "partition",
    "A": "account",
    "D": "chdir",
    "w": "nodelist",
    "m": "distribution",
    "q": "qos",
    "C": "constraint",
}


def main(name: str, words: "list[str]") -> int:
    try:
        if name == "slurm-batch":
            return batch(words)
        if name == "srun":
            return srun(words)
        if name == "scontrol":
            return scontrol(words)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{name}: error: {error}\n")
        return 1
    if name in OUTSIDE:
        sys.stderr.write(
            f"{name}: error: a job may neither submit jobs nor look at them; for what comes after it: sbatch --dependency, outside\n"
        )
        return 1
    sys.stderr.write(f"{name}: there is no such command inside a job\n")
    return 1


def batch(words: "list[str]") -> int:
    """Becomes the batch script of the job's home, its output where `--output` and `--error` say. Raises OSError, ValueError."""
    options, command = options_of(words)
    script = os.path.join(os.environ["HOME"], command[0])  # noqa: PTH118  # pathlib would cost every job some milliseconds
    with open(script, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
        interpreter = file.readline()[2:].split(None, 1)
    append = options.get("open-mode", "").startswith("a") or os.environ.get("SLURM_RESTART_COUNT", "0") != "0"
    out = opened(options.get("output", ""), os.environ, append=append)
    same = options.get("error", "") in {"", options.get("output", "")}
    err = out if same else opened(options["error"], os.environ, append=append)
    for descriptor, number in ((out, 1), (err, 2)):
        if descriptor is not None:
            os.dup2(descriptor, number)
    os.execvp(interpreter[0], [*(word.strip() for word in interpreter), script, *command[1:]])  # noqa: S606  # no shell


def srun(words: "list[str]") -> int:
    options, command = options_of(words)
    if not command:
        raise ValueError("there is no command")
    children = []
    for told in tasks_of(options, os.environ):
        environment = dict(os.environ) | told
        append = options.get("open-mode", "").startswith("a") or environment.get("SLURM_RESTART_COUNT", "0") != "0"
        out = opened(options.get("output", ""), environment, append=append)
        same = options.get("error", "") in {"", options.get("output", "")}
        err = out if same else opened(options["error"], environment, append=append)
        children.append(
            subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=options.get("chdir"),
            )
        )
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCONT):
        signal.signal(number, lambda _number, _frame: None)  # the word goes to all of the job, our tasks among them
    return max(code if code >= 0 else 128 - code for code in [child.wait() for child in children])


def tasks_of(options: "dict[str, str]", environment: Mapping[str, str]) -> "list[dict[str, str]]":
    """Who each task is, block by block over the nodes; within a member of a gang only those of its own node. Raises ValueError."""
    names = environment.get("SLURM_JOB_NODELIST", "job").split(",")
    here = int(environment.get("SLURM_NODEID", "0")) if "SLURM_STEP_ID" in environment else None
    nodes = 1 if here is not None else int(options.get("nodes", "").partition("-")[0] or len(names))
    each = int(options.get("ntasks-per-node") or 0)
    usual = nodes * each or nodes * int(environment.get("SLURM_NTASKS_PER_NODE") or 1)
    tasks = int(options.get("ntasks") or usual)
    if not 1 <= tasks <= 1024 or not 1 <= nodes <= len(names):
        raise ValueError(f"{tasks} tasks on {nodes} nodes are not to be had here")
    gpus = environment.get("FABRIEK_MEMBER_GPUS", "").split(";")
    found = []
    for number in range(tasks):
        node, local = divmod(number, -(-tasks // nodes))
        node = here if here is not None else node
        told = {
            "SLURM_PROCID": number, "SLURM_LOCALID": local, "SLURM_NTASKS": tasks, "SLURM_NPROCS": tasks, "SLURM_STEP_ID": 0,
            "SLURM_STEPID": 0, "SLURM_STEP_NUM_TASKS": tasks, "SLURM_NODEID": node, "SLURMD_NODENAME": names[node],
        }  # fmt: skip
        if len(gpus) > node and gpus[node]:
            told |= {"CUDA_VISIBLE_DEVICES": gpus[node], "SLURM_STEP_GPUS": gpus[node]}
        found.append({name: str(value) for name, value in told.items()})
    return found


def options_of(words: "list[str]") -> "tuple[dict[str, str], list[str]]":
    """Options before the command, by their long names. A flag has an empty value."""
    options: dict[str, str] = {}
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] != "--":
        word = rest.pop(0)
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if not equals and name in WITH_VALUE:
                value = rest.pop(0) if rest else ""
        else:
            name, value = SHORT.get(word[1], word[1]), word[2:]
            if not value and word[1] in SHORT:
                value = rest.pop(0) if rest else ""
        options[name] = value
    if rest[:1] == ["--"]:
        rest.pop(0)
    return options, rest


def opened(pattern: str, environment: Mapping[str, str], *, append: bool) -> "int | None":
    """The file of a pattern such as `%j_%t.out`; None where none is named. Waits for its folder. Raises OSError."""
    if not pattern:
        return None
    flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else os.O_TRUNC)
    give_up = time.monotonic() + FOLDER_SECONDS
    while True:
        try:
            return os.open(filled(pattern, environment), flags, 0o644)
        except FileNotFoundError:
            if time.monotonic() > give_up:
                raise
            time.sleep(FOLDER_LOOK_SECONDS)


def filled(pattern: str, environment: Mapping[str, str]) -> str:
    """As sbatch and srun fill in file names."""
    known = {
        "j": "SLURM_JOB_ID", "J": "SLURM_JOB_ID", "A": "SLURM_ARRAY_JOB_ID", "a": "SLURM_ARRAY_TASK_ID", "x": "SLURM_JOB_NAME",
        "t": "SLURM_PROCID", "n": "SLURM_NODEID", "N": "SLURMD_NODENAME", "u": "USER", "s": "SLURM_STEP_ID",
    }  # fmt: skip

    def value(match: "re.Match[str]") -> str:
        width, letter = match[1], match[2]
        if letter == "%":
            return "%"
        name = known.get(letter)
        if name is None:
            return match[0]
        said = environment.get(name) or (environment.get("SLURM_JOB_ID", "0") if letter == "A" else "0")
        return said.zfill(int(width)) if width and said.isdecimal() else said

    return re.sub(r"%(\d{0,2})([A-Za-z%])", value, pattern)


def scontrol(words: "list[str]") -> int:
    match words:
        case ["requeue", job] if job in own_ids():
            signal.signal(
                signal.SIGTERM, signal.SIG_IGN
            )  # what we ask for comes to us too, and our caller waits for a good answer
            os.close(os.open(AGAIN, os.O_WRONLY | os.O_CREAT, 0o600))
            return 0
        case ["requeue", *_]:
            raise ValueError("a job can requeue itself and no other")
        case ["show", "hostnames", *lists] if "[" in "".join(lists):
            raise ValueError("inside a job it writes out lists without brackets, as SLURM_JOB_NODELIST has them")
        case ["show", "hostnames", *lists]:
            for one in lists or [os.environ.get("SLURM_JOB_NODELIST", "")]:
                sys.stdout.write("".join(f"{name}\n" for name in one.split(",") if name))
            return 0
        case _:
            raise ValueError("inside a job it knows: requeue JOB, show hostnames LIST")


def own_ids() -> "set[str]":
    array, index = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    ids = {os.environ.get("SLURM_JOB_ID", ""), os.environ.get("FABRIEK_JOB_ID", "")} - {""}
    return ids | ({f"{array}_{index}"} if array else set())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
