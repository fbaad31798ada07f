"""`fabriek run`: a command as a job, followed live."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from fabriek.cli.output import json_option, print_json, project_option, say
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.codes import EXIT_JOB_FAILED
from fabriek.schemas.compute import JobOut, PlanOut
from fabriek.schemas.forecasts import ForecastIn, ForecastOut

if TYPE_CHECKING:
    from fabriek.sdk import Fabriek

INSTANTS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%H:%M"]


@click.command(context_settings={"allow_interspersed_args": False})
@click.option("--file", "-f", "file", type=click.Path(path_type=Path), help="A job.yaml; options say what differs.")
@click.option(
    "--data", "-d", multiple=True, metavar="NAME[@V]:/MOUNT", help="A dataset version and where it is seen; repeatable."
)
@click.option("--code", help="Folder sent along; default: the folder of the script. `--code none` sends nothing.")
@click.option(
    "--image",
    default="",
    metavar="NAME[@V]:FILE",
    help="A SIF or squashfs file to run in; or the operator's name for one.",
)
@click.option("--requirements", help="Packages the job needs; default: requirements.txt beside the script.")
@click.option(
    "--nodes",
    default=1,
    type=click.IntRange(1),
    help="Nodes, all or none; the command runs on each, with --cpus, --gpus and --memory of its own.",
)
@click.option(
    "--gpus", default="0", metavar="[KIND:]N", help="GPUs on each node: 2, a100:2, or a part: 0.25, h100:0.5."
)
@click.option("--cpus", default=1, type=click.IntRange(1), help="CPU cores on each node.")
@click.option("--memory", default="2GiB", metavar="SIZE", help="Memory on each node; the job is stopped above it.")
@click.option("--time", default="1h", metavar="DURATION", help="Longest time it may run: 30m, 2h.")
@click.option("--hours", type=float, help="The same, in hours.")
@click.option("--name", default="", help="What to call it; default: the command.")
@click.option("--experiment", default="", help="The experiment its run belongs to; default: Default.")
@click.option(
    "--work", default="", metavar="KIND", help="Kind of work, for its estimate of energy; see `fabriek power kinds`."
)
@click.option("--purpose", default="", help="civilian, dual_use or exclusively_military; default: the project's.")
@click.option(
    "--priority", type=click.Choice(["eco", "normal", "urgent"]), default="normal", help="eco goes after all others."
)
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="A variable for the job; repeatable.")
@click.option(
    "--secret",
    "secrets",
    multiple=True,
    metavar="NAME[=VARIABLE]",
    help="A secret of the project as a variable; NAME=file:FILE as /run/secrets/FILE; repeatable.",
)
@click.option(
    "--notify",
    multiple=True,
    metavar="[WHEN:]WHOM",
    help="Tell `mail`, `https://…` or `secret:NAME` when it has ended; begin,fail:mail on these occasions; repeatable.",
)
@click.option("--array", default="", metavar="0-99%4", help="One job for each number, four at a time.")
@click.option(
    "--sweep",
    multiple=True,
    metavar="NAME=A,B,C",
    help="One job for each value; {NAME} in the command is the value; repeatable.",
)
@click.option(
    "--after",
    multiple=True,
    metavar="JOB",
    help="Wait until JOB has succeeded; afterany:JOB, afternotok:JOB, after:JOB.",
)
@click.option("--begin", type=click.DateTime(INSTANTS), help="Not before this time.")
@click.option("--deadline", type=click.DateTime(INSTANTS), help="Give up when it could not have ended by then.")
@click.option(
    "--requeue", default=0, type=click.IntRange(0, 1000), help="How often it may ask to run again, with exit code 75."
)
@click.option(
    "--signal", default="", metavar="USR1@60", help="A word to the job, so many seconds before its time is over."
)
@click.option("--grace", metavar="DURATION", help="Between being asked to stop and being killed.")
@click.option("--preemptible", is_flag=True, help="May be put back into the queue for others.")
@click.option(
    "--network",
    default="none",
    metavar="HOST,…",
    help="Hosts to reach, or `host` for all, where the operator allows it.",
)
@click.option("--folder", default="", help="Folder of the project's workspace to work in.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Where it serves, for `fabriek session open`.")
@click.option(
    "--tasks", default=1, type=click.IntRange(1, 1024), help="How many processes srun starts inside, on each node."
)
@click.option(
    "--batch", is_flag=True, help="With --nodes: run the command once, on the first; srun in it starts on all."
)
@click.option("--dry-run", is_flag=True, help="Say what would become of it, and submit nothing.")
@click.option(
    "--pack", type=click.Path(path_type=Path), metavar="DIR", help="Pack it into DIR for a machine elsewhere."
)
@click.option("--list-only", is_flag=True, help="With --pack: list the data, and take none of it along.")
@click.option("--detach", is_flag=True, help="Return at once and print the job's id.")
@click.option("--wait/--no-wait", default=True, help="Leave with 9 when the job itself fails (default).")
@project_option
@json_option
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def run(
    ctx: click.Context, /, command: tuple[str, ...], project: str, *, file: Path | None, pack: Path | None, list_only: bool,
    dry_run: bool, detach: bool, wait: bool, as_json: bool, **options: Any,
) -> int:  # fmt: skip
    """Run COMMAND as a job: in a sandbox, on data from the vault, inside the credits and the power limit.

    \b
    fabriek run --data biopsies:/data -- python train.py
    fabriek run --sweep lr=0.1,0.01 -- python train.py --lr {lr}
    fabriek run -f job.yaml

    The folder of the script is sent along. Output streams here; Ctrl-C leaves the job running and says how to come back.
    """  # noqa: D301  # the sign that click keeps lines by
    from fabriek.sdk import jobfile  # noqa: PLC0415  # help need not read YAML

    said = jobfile.read(file) if file else {}
    given = {
        name: value for name, value in options.items() if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    wanted = jobfile.job_file(said | _fields(given) | ({"command": list(command)} if command else {}))
    words, asked = jobfile.words_of(wanted), jobfile.asked_of(wanted)
    base = file.parent if file else Path()
    if file and asked["requirements"] and "requirements" not in given:
        asked["requirements"] = base / asked["requirements"]
    folder = _code_folder(wanted.code, tuple(words), base)
    factory = connect(project)
    if dry_run:
        return _tell(factory.jobs.plan(words, **asked), None if as_json else _probably(factory, asked))
    if pack is not None:
        from fabriek.cli.pack import tell  # noqa: PLC0415  # few pack

        return tell(
            factory.packs.pack(pack, words, code=folder, with_data=False if list_only else None, **asked),
            pack,
            as_json=as_json,
        )
    job = factory.jobs.run(words, code=folder, **asked)
    if detach or job.array:
        return _submitted(job, as_json=as_json)
    from fabriek.cli.following import follow  # noqa: PLC0415  # only a followed job needs it

    ended = follow(factory, job.id, quiet=as_json)
    if as_json:
        print_json(ended)
    return EXIT_JOB_FAILED if wait and ended.state != "succeeded" else 0


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    """Options in the words of job.yaml. Raises InvalidInput."""
    fields = dict(given)
    if "hours" in fields:
        fields["time"] = f"{round(fields.pop('hours') * 3600)}s"
    if "data" in fields:
        fields["data"] = dict(mount(one) for one in fields["data"])
    if "env" in fields:
        fields["env"] = dict(_variable(one) for one in fields["env"])
    if "sweep" in fields:
        fields["sweep"] = {
            name: values.split(",") for name, values in (_variable(one, "--sweep") for one in fields["sweep"])
        }
    for name in ("after", "secrets", "notify"):
        if name in fields:
            fields[name] = list(fields[name])
    for name in ("begin", "deadline"):
        if name in fields:
            fields[name] = _today(fields[name])
    return fields


def _submitted(job: JobOut, *, as_json: bool) -> int:
    if as_json:
        print_json(job)
    elif job.array:
        say(job.array)
        click.echo(f"{job.elements} jobs, {job.number} and on: fabriek job ls --array {job.array}", err=True)
    else:
        say(job.id)
    return 0


def _probably(factory: "Fabriek", asked: dict[str, Any]) -> ForecastOut:
    return factory.jobs.forecast(**{name: value for name, value in asked.items() if name in ForecastIn.model_fields})


def _tell(plan: PlanOut, forecast: ForecastOut | None) -> int:
    """forecast: None for a program, which asks for one by itself."""
    if forecast is None:
        print_json(plan)
        return 0
    if plan.elements > 1:
        say(f"{plan.elements} jobs, of which {plan.starting} would start now. The first:")
    expected = "" if plan.starts_now or plan.until is None else f" Expected start: {plan.until:%Y-%m-%d %H:%M} UTC."
    say(f"{plan.why}{expected}")
    if not plan.starts_now and forecast.start.median is not None:
        say(f"It would probably start {forecast.start.says}.")
    for one in forecast.sooner:
        say(f"Sooner with {one.asks}: {one.start.says}.")
    say(f"It would hold {plan.held} of the share {plan.share}, and leave {plan.left}.")
    say(f"Its results would carry the label {plan.label}; its purpose is {plan.purpose}.")
    return 0


def mount(text: str) -> tuple[str, str]:
    name, _, mount = text.rpartition(":")
    if not name or not mount.startswith("/"):
        raise InvalidInput(
            f"--data {text!r} names no mount point", fix=f"--data {text.split(':', maxsplit=1)[0]}:/data"
        )
    return name, mount


def _variable(text: str, option: str = "--env") -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(f"{option} {text!r} has no value", fix=f"{option} {text}=VALUE")
    return name, value


def _today(at: datetime) -> datetime:
    """A bare time of day means today's."""
    if at.year > 1900:
        return at.astimezone()
    from fabriek.kernel.clock import SystemClock  # noqa: PLC0415  # rarely asked

    today = SystemClock().now().astimezone()
    return today.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)


def _code_folder(named: str, command: tuple[str, ...], base: Path) -> Path | None:
    """The folder named, else that of the first argument that is a file here; a bare command such as `nvidia-smi` sends nothing."""
    if named:
        return None if named == "none" else base / named
    script = next((Path(word) for word in command if (base / word).is_file()), None)
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
    return base.absolute()
