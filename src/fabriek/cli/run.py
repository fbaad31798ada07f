"""`fabriek run`: a command as a job, followed live."""

from pathlib import Path
from typing import Any

import click

from fabriek.cli.output import json_option, print_json, project_option, say
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import parse_bytes, parse_seconds
from fabriek.schemas.codes import EXIT_JOB_FAILED
from fabriek.schemas.compute import PlanOut


@click.command(context_settings={"ignore_unknown_options": True})
@click.option(
    "--data",
    "-d",
    multiple=True,
    metavar="NAME[@V]:/MOUNT",
    help="A dataset version and where the job sees it; repeatable.",
)
@click.option(
    "--code",
    type=click.Path(path_type=Path),
    help="Folder sent along; default: the folder of the script. `--code none` sends nothing.",
)
@click.option(
    "--requirements",
    type=click.Path(path_type=Path),
    help="Packages the job needs; default: requirements.txt beside the script.",
)
@click.option("--gpus", default=0, type=click.IntRange(0), help="GPUs.")
@click.option("--cpus", default=1, type=click.IntRange(1), help="CPU cores.")
@click.option("--memory", default="2GiB", metavar="SIZE", help="Memory; the job is stopped above it.")
@click.option("--time", "wall", default="1h", metavar="DURATION", help="Longest time it may run: 30m, 2h.")
@click.option("--hours", type=float, help="The same, in hours.")
@click.option("--name", default="", help="What to call it; default: the command.")
@click.option("--experiment", default="", help="The experiment its run belongs to; default: the job's name.")
@click.option("--purpose", default="", help="civilian, dual_use or exclusively_military; default: the project's.")
@click.option(
    "--priority", type=click.Choice(["eco", "normal", "urgent"]), default="normal", help="eco waits for spare power."
)
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="A variable for the job; repeatable.")
@click.option("--dry-run", is_flag=True, help="Say what would become of it, and submit nothing.")
@click.option("--detach", is_flag=True, help="Return at once and print the job's id.")
@click.option("--wait/--no-wait", default=True, help="Leave with 9 when the job itself fails (default).")
@project_option
@json_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(
    command: tuple[str, ...], data: tuple[str, ...], code: Path | None, requirements: Path | None, gpus: int, cpus: int, memory: str, wall: str,
    hours: float | None, name: str, experiment: str, purpose: str, priority: str, env: tuple[str, ...], project: str, *,
    dry_run: bool, detach: bool, wait: bool, as_json: bool,
) -> int:  # fmt: skip
    r"""Run COMMAND as a job: in a sandbox, on data from the vault, inside the credits and the power limit.

    \b
    fabriek run --data biopsies:/data -- python train.py

    The folder of the script is sent along. Output streams here; Ctrl-C leaves the job running and says how to come back.
    """
    factory = connect(project)
    asked: dict[str, Any] = {
        "data": dict(_mount(one) for one in data), "requirements": requirements, "gpus": gpus, "cpus": cpus,
        "memory_bytes": parse_bytes(memory), "wall_seconds_max": round(hours * 3600) if hours else parse_seconds(wall), "name": name,
        "experiment": experiment, "purpose": purpose, "priority": priority, "environment": dict(_variable(one) for one in env),
    }  # fmt: skip
    folder = _code_folder(code, command)
    if dry_run:
        return _tell(factory.jobs.plan(command, **asked), as_json=as_json)
    job = factory.jobs.run(command, code=folder, **asked)
    if detach:
        print_json(job) if as_json else say(job.id)
        return 0
    from fabriek.cli.following import follow  # noqa: PLC0415  # only a followed job needs it

    ended = follow(factory, job.id, quiet=as_json)
    if as_json:
        print_json(ended)
    return EXIT_JOB_FAILED if wait and ended.state != "succeeded" else 0


def _tell(plan: PlanOut, *, as_json: bool) -> int:
    if as_json:
        print_json(plan)
        return 0
    expected = "" if plan.starts_now or plan.until is None else f" Expected start: {plan.until:%Y-%m-%d %H:%M} UTC."
    say(f"{plan.why}{expected}")
    say(f"It would hold {plan.held} of the share {plan.share}, and leave {plan.left}.")
    say(f"Its results would carry the label {plan.label}; its purpose is {plan.purpose}.")
    return 0


def _mount(text: str) -> tuple[str, str]:
    name, _, mount = text.rpartition(":")
    if not name or not mount.startswith("/"):
        raise InvalidInput(
            f"--data {text!r} names no mount point", fix=f"--data {text.split(':', maxsplit=1)[0]}:/data"
        )
    return name, mount


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(f"--env {text!r} has no value", fix=f"--env {text}=VALUE")
    return name, value


def _code_folder(named: Path | None, command: tuple[str, ...]) -> Path | None:
    """The folder named, else that of the first argument that is a file here; a bare command such as `nvidia-smi` sends nothing."""
    if named is not None:
        return None if str(named) == "none" else named
    script = next((Path(word) for word in command if Path(word).is_file()), None)
    if script is None:
        missing = next((word for word in command[1:] if word.endswith(".py")), None)
        if missing and Path(command[0]).name.startswith("python"):
            raise InvalidInput(
                f"{missing} is not here",
                fix=f"run it from the folder of {Path(missing).name}, or name the folder with --code",
            )
        return None
    if len(script.parts) > 1:
        raise InvalidInput(
            f"{script} is in another folder, and the job would not find it under that name",
            fix=f"fabriek run --code {script.parent} … -- {' '.join(word if Path(word) != script else script.name for word in command)}",
        )
    return Path.cwd()
