"""`fabriek session`: a notebook or another web app as a job, opened in the browser."""

import webbrowser
from typing import Any

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, project_option, say, table
from fabriek.cli.session import connect
from fabriek.kernel.clock import SystemClock
from fabriek.kernel.errors import InvalidInput, Unavailable, WrongState
from fabriek.kernel.units import parse_bytes, parse_seconds
from fabriek.schemas.compute import JobOut
from fabriek.schemas.sessions import KINDS, PORT

START_SECONDS_MAX = 600


@click.group(cls=Group)
def session() -> None:
    """Notebooks and other web apps that run as jobs."""


@session.command("start")
@click.option(
    "--data", "-d", multiple=True, metavar="NAME[@V]:/MOUNT", help="A dataset version and where it is seen; repeatable."
)
@click.option("--requirements", help="A file of packages; default: what the kind needs.")
@click.option("--gpus", default="0", metavar="[KIND:]N", help="GPUs: 2, a100:2, or a part: 0.25, h100:0.5.")
@click.option("--cpus", default=1, type=click.IntRange(1), help="CPU cores.")
@click.option("--memory", default="4GiB", metavar="SIZE", help="Memory; it is stopped above it.")
@click.option(
    "--time", default="2h", metavar="DURATION", help="How long it may run; `fabriek session extend` adds to it."
)
@click.option(
    "--secret", "secrets", multiple=True, metavar="NAME[=VARIABLE]", help="A secret of the project; repeatable."
)
@click.option("--folder", default="", help="Folder of the project's workspace to work in.")
@click.option(
    "--port", default=PORT, type=click.IntRange(1024, 65535), help="Where a command of your own serves, on 127.0.0.1."
)
@click.option("--browser/--no-browser", default=False, help="Open it in this machine's browser.")
@project_option
@json_option
@click.argument("kind", metavar="KIND")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def start(
    kind: str, command: tuple[str, ...], data: tuple[str, ...], requirements: str | None, project: str, *, port: int, browser: bool,
    as_json: bool, memory: str, time: str, **asked: Any,
) -> None:  # fmt: skip
    """Start a session and print its address. KIND is jupyter, terminal, tensorboard, or `app` with a command of your own.

    \b
    fabriek session start jupyter --data biopsies:/data
    fabriek session start app --port 8000 -- python -m http.server --bind 127.0.0.1 8000
    """  # noqa: D301  # the sign that click keeps lines by
    if kind not in {*KINDS, "app"} or (kind == "app") != bool(command):
        raise InvalidInput(
            f"a session is {', '.join(KINDS)}, or app with a command", fix="fabriek session start app -- COMMAND"
        )
    from fabriek.cli.run import mount  # noqa: PLC0415  # the options of run are not needed for help

    factory = connect(project)
    shape = KINDS.get(kind)
    job = factory.jobs.run(
        shape.command if shape else command, name=f"session {kind}", data=dict(mount(one) for one in data), requirements=requirements,
        packages="" if shape is None or requirements else shape.requirements, memory_bytes=parse_bytes(memory),
        wall_seconds_max=parse_seconds(time), port=PORT if shape else port, **asked,
    )  # fmt: skip
    _wait(factory.jobs, job.id)
    _opened(factory.jobs, job.id, browser=browser, as_json=as_json)


@session.command("open")
@click.argument("name", metavar="JOB")
@click.option("--browser/--no-browser", default=False, help="Open it in this machine's browser.")
@project_option
@json_option
def open_session(name: str, project: str, *, browser: bool, as_json: bool) -> None:
    """Print an address that opens the session once, within a minute."""
    _opened(connect(project).jobs, name, browser=browser, as_json=as_json)


@session.command("ls")
@project_option
@json_option
def ls(project: str, *, as_json: bool) -> None:
    """Sessions that have not ended."""
    found = [job for job in connect(project).jobs.list(active=True).items if job.port and not job.serves]
    empty = "no sessions: fabriek session start jupyter"
    table(found, ["number", "name", "state", "started_at", "ends_at"], as_json=as_json, empty=empty)


@session.command("extend")
@click.argument("name", metavar="JOB")
@click.option("--time", default="1h", metavar="DURATION", help="How much longer.")
@project_option
@json_option
def extend(name: str, time: str, project: str, *, as_json: bool) -> None:
    """Give a session more time, if credits cover it and nobody waits for the room."""
    longer = connect(project).jobs.extend(name, parse_seconds(time))
    if as_json:
        print_json(longer)
    else:
        say(f"it may run until {_until(longer)}")


@session.command("stop")
@click.argument("name", metavar="JOB")
@project_option
def stop(name: str, project: str) -> None:
    """End a session; what it used until then is settled."""
    stopped = connect(project).jobs.cancel(name)
    say(f"session {stopped.number} is being stopped")


def _wait(jobs: Any, job: str) -> None:
    clock, pause = SystemClock(), 0.1
    give_up, said = clock.monotonic() + START_SECONDS_MAX, ""
    while True:
        now = jobs.why(job)
        if now.state == "running":
            return
        if now.state in {"succeeded", "failed", "cancelled", "lost"}:
            raise WrongState(f"the session has ended: {now.why}", fix=f"fabriek job log {job}")
        if clock.monotonic() > give_up:
            raise Unavailable(f"the session has not started: {now.why}", fix=f"fabriek session open {job} later")
        if now.why != said:
            said = now.why
            click.echo(said, err=True)
        clock.sleep(pause)


def _opened(jobs: Any, job: str, *, browser: bool, as_json: bool) -> None:
    door = jobs.door(job)
    if as_json:
        print_json({"job": job, **door.model_dump()})
        return
    say(door.url)
    click.echo(
        f"opens once, within a minute; again: fabriek session open {job}    stop: fabriek session stop {job}", err=True
    )
    if browser:
        webbrowser.open(door.url)


def _until(job: JobOut) -> str:
    return f"{job.ends_at.astimezone():%H:%M on %d %B}" if job.ends_at else "its end"
