"""`sbatch`: a batch script as a job."""

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from fabriek.cli.session import connect
from fabriek.cli.slurm.mail import notify_of
from fabriek.cli.slurm.options import bytes_of, directives, from_variables, known, seconds_of
from fabriek.kernel.errors import InvalidInput, NotPermitted
from fabriek.schemas.compute import JobOut

KNOWN = known(
    "J=job-name o=output e=error i=input n=ntasks c=cpus-per-task N=nodes t=time p=partition A=account a=array d=dependency D=chdir "
    "G=gpus W=wait Q=quiet q=qos C=constraint w=nodelist x=exclude b=begin H=hold",
    "job-name output error input ntasks cpus-per-task nodes time partition account array dependency chdir mem mem-per-cpu mem-per-gpu gpus "
    "gpus-per-node gpus-per-task gres signal open-mode export ntasks-per-node wckey comment mail-type mail-user qos constraint nodelist "
    "exclude begin deadline network wrap tmp time-min cpus-per-gpu gpu-bind licenses priority nice profile reservation switches "
    "threads-per-core hint distribution kill-on-invalid-dep",
    "parsable requeue no-requeue wait quiet exclusive hold overcommit oversubscribe spread-job verbose test-only ignore-pbs",
)
REQUEUES = 100
"""How often a job may ask for itself, where Slurm sets no bound."""

FROM_VARIABLES = (
    "account",
    "array",
    "network",
    "partition",
    "time",
    "job-name",
    "signal",
    "export",
    "gpus",
    "requeue",
    "qos",
)
SCRIPT = "slurm_script"
NO_MAIL = "outbound.mail"
"""The rule by which a job that asks for mail is refused where none is sent."""

BYTES_MAX = 4 << 20
"""As Slurm's own limit for a batch script."""


def run(words: list[str]) -> int:
    """Prints `Submitted batch job N`. Raises InvalidInput and what submitting raises."""
    on_line, rest = KNOWN.read(words)
    script, arguments = _script(on_line, rest)
    in_script, odd = KNOWN.read_anywhere(directives(script))
    if odd:
        raise InvalidInput(f"#SBATCH says {odd[0]!r}, which is no option", fix="write options as --name=value")
    options = from_variables(os.environ, FROM_VARIABLES) | in_script | on_line
    job = _submit(options, script, arguments)
    number = job.number.partition("_")[0]
    if "parsable" in options:
        sys.stdout.write(f"{number}\n")
    elif "quiet" not in options:
        sys.stdout.write(f"Submitted batch job {number}\n")
    sys.stdout.flush()
    if "wait" in options:
        ended = connect().jobs.wait(job.id)
        return ended.exit_code if ended.exit_code is not None else 1
    return 0


def asked_of(options: dict[str, str], folder: str) -> dict[str, Any]:
    """The options of sbatch in the words of `Compute.run`. folder: of the workspace, or empty. Raises InvalidInput."""
    nodes = _nodes(options)
    tasks = _tasks(options, nodes)
    cpus = tasks * int(options.get("cpus-per-task") or 1)
    asked: dict[str, Any] = {
        "name": options.get("job-name") or "sbatch", "cpus": cpus, "tasks": tasks, "gpus": _gpus(options, nodes, tasks), "folder": folder,
        "nodes": nodes, "batch": True,
        "array": options.get("array", ""), "after": _after(options.get("dependency", "")), "network": _network(options),
        "requeues_max": REQUEUES if "no-requeue" not in options else 0, "environment": _exported(options.get("export", "NONE")),
        "signal": _signal(options.get("signal", "")),
    }  # fmt: skip
    if notify := notify_of(options):
        asked["notify"] = notify
    if "time" in options:
        asked["wall_seconds_max"] = seconds_of(options["time"])
    if asked["requeues_max"] and "requeue" not in options:
        # Slurm lets a job be requeued by default and asks nothing for it; here each time is paid for, so that few stand by.
        asked["requeues_max"] = 3
    if "mem" in options:
        asked["memory_bytes"] = bytes_of(options["mem"])
    elif "mem-per-cpu" in options:
        asked["memory_bytes"] = bytes_of(options["mem-per-cpu"]) * cpus
    if options.get("qos") in {"eco", "urgent"}:
        asked["priority"] = options["qos"]
    return asked


def _submit(options: dict[str, str], script: str, arguments: list[str]) -> JobOut:
    factory = connect()
    begins = Path(options.get("chdir") or Path.cwd()).resolve()
    workspace = factory.jobs.workspace().path
    shared = bool(workspace) and Path(workspace) in (begins, *begins.parents)
    command = ["slurm-batch", *_redirected(options, begins, shared=shared), SCRIPT, *arguments]
    with tempfile.TemporaryDirectory() as sent:
        code = Path(sent)
        (code / SCRIPT).write_text(script, "utf-8")
        if not shared:
            sys.stderr.write(
                "sbatch: this folder is in no workspace: the job gets no copy of its files, only the script\n"
            )
        asked = asked_of(options, str(begins) if shared else "")
        try:
            job = factory.jobs.run(command, code=code, **asked)
        except NotPermitted as refused:
            if refused.fields.get("rule") != NO_MAIL:
                raise
            sys.stderr.write("sbatch: this installation sends no mail: --mail-type is ignored\n")
            return factory.jobs.run(command, code=code, **asked | {"notify": []})
    if "notify" in asked and options.get("mail-user"):
        sys.stderr.write("sbatch: mail goes to the address of your account, whoever --mail-user names\n")
    return job


def _redirected(options: dict[str, str], begins: Path, *, shared: bool) -> list[str]:
    """Writes to files as sbatch would, where the job sees the folder; elsewhere output is the job's log."""
    if not shared:
        return []
    out = str(begins / (options.get("output") or ("slurm-%A_%a.out" if "array" in options else "slurm-%j.out")))
    words = ["--output", out]
    if error := options.get("error"):
        words += ["--error", str(begins / error)]
    return words + (["--open-mode", options["open-mode"]] if "open-mode" in options else [])


def _script(options: dict[str, str], rest: list[str]) -> tuple[str, list[str]]:
    if "wrap" in options:
        return f"#!/bin/sh\n# made by sbatch --wrap\n\n{options['wrap']}\n", rest
    try:
        text = Path(rest[0]).read_text("utf-8") if rest else sys.stdin.read(BYTES_MAX + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"Unable to open file {rest[0]}: {error}", fix="name a batch script") from None
    if len(text) > BYTES_MAX:
        raise InvalidInput("Batch script is larger than 4 MiB", fix="put data into a file")
    if not text.startswith("#!") or not text.partition("\n")[0][2:].strip():
        raise InvalidInput("This does not look like a batch script", fix="begin it with #!/bin/sh")
    return text, rest[1:]


def _nodes(options: dict[str, str]) -> int:
    """`2`, or the least of `2-4`."""
    return _count(options.get("nodes", "").partition("-")[0] or "1")


def _tasks(options: dict[str, str], nodes: int) -> int:
    """On each node."""
    if "ntasks" not in options:
        return _count(options.get("ntasks-per-node", "1"))
    tasks = _count(options["ntasks"])
    if tasks % nodes:
        raise InvalidInput(
            f"{tasks} tasks do not divide evenly over {nodes} nodes", fix=f"--ntasks {-(-tasks // nodes) * nodes}"
        )
    return tasks // nodes


def _gpus(options: dict[str, str], nodes: int, tasks: int) -> str:
    """`--gpus 2` in all, `--gpus-per-node a100:2`, `--gpus-per-task 1`, `--gres gpu:a100:2`, on each node. A part is `--gpus-per-node 0.5`."""
    said = options.get("gres", "")
    if said and said != "none" and said.partition(":")[0] != "gpu":
        raise InvalidInput(f"Invalid generic resource specification {said!r}", fix="--gres gpu:1")
    for name, times in (("gpus-per-node", 1), ("gpus-per-task", tasks), ("gres", 1), ("gpus", 1)):
        if name not in options or options[name] == "none":
            continue
        asked = options[name].removeprefix("gpu:") if name == "gres" else options[name]
        kind, _, number = asked.rpartition(":")
        if not re.fullmatch(r"[0-9.]+", number, re.ASCII):  # `gpu` and `gpu:a100` mean one
            kind, number = "" if number == "gpu" else number, "1"
        each = gpus_of_each(number, times, nodes if name == "gpus" else 1)
        return f"{kind}:{each}" if kind else each
    return "0"


def gpus_of_each(number: str, times: int, nodes: int) -> str:
    """Raises InvalidInput where they do not divide evenly."""
    if times == nodes == 1:
        return number
    if not number.isdecimal() or int(number) * times % nodes:
        raise InvalidInput(f"{number} GPUs do not divide evenly over {nodes} nodes", fix="--gpus-per-node 1")
    return str(int(number) * times // nodes)


def _count(said: str) -> int:
    if not said.isdecimal() or int(said) < 1:
        raise InvalidInput(f"{said!r} is no number of nodes or tasks", fix="give numbers above zero")
    return int(said)


def _after(dependency: str) -> list[str]:
    if "?" in dependency:
        raise InvalidInput("a job waits for all that it names, not for one of them", fix="write , for ?")
    return [one for one in dependency.split(",") if one]


def _network(options: dict[str, str]) -> str:
    return "host" if options.get("network") == "host" else "none"


def _signal(said: str) -> str:
    """`B:USR1@60` is for the batch script, `USR1@60` for all that it started."""
    if not said:
        return ""
    target, colon, word = said.rpartition(":")
    name, _, before = word.partition("@")
    return f"{'' if colon and 'B' in target else 'steps:'}{name.removeprefix('SIG')}@{before or 60}"


def _exported(said: str) -> dict[str, str]:
    """Only what is named: a person's whole environment holds secrets that no record of a job should keep."""
    found = {}
    for one in said.split(","):
        name, equals, value = one.partition("=")
        if name in {"ALL", "NONE", "NIL", ""}:
            continue
        if equals or name in os.environ:
            found[name] = value if equals else os.environ[name]
    return found
