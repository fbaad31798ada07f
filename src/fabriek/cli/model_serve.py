"""`fabriek model serve` and its company: a model that answers, and the keys by which programs call it."""

from typing import Any

import click

from fabriek.cli.model import model
from fabriek.cli.output import json_option, print_json, project_option, say, show, table
from fabriek.cli.session import connect
from fabriek.kernel.clock import SystemClock
from fabriek.kernel.errors import Unavailable, WrongState
from fabriek.kernel.units import parse_bytes, parse_seconds
from fabriek.schemas.serving import ServedOut

START_SECONDS_MAX = 600
ENDED = frozenset({"succeeded", "failed", "cancelled", "lost"})


@model.command("serve", context_settings={"allow_interspersed_args": True})
@click.option("--name", default="", help="Its name in the address; default: made of the model's.")
@click.option("--gpus", default="0", metavar="[KIND:]N", help="GPUs: 2, a100:2, or a part: 0.25, h100:0.5.")
@click.option("--cpus", default=1, type=click.IntRange(1), help="CPU cores.")
@click.option("--memory", default="4GiB", metavar="SIZE", help="Memory, the model's files among it.")
@click.option("--time", default="8h", metavar="DURATION", help="How long it is served: 8h, 5d.")
@click.option("--hours", type=float, help="The same, in hours.")
@click.option("--requirements", type=click.Path(exists=True), help="A file of packages that loading the model needs.")
@click.option(
    "--data",
    "-d",
    multiple=True,
    metavar="NAME[@V]:/MOUNT",
    help="A dataset version that the server needs; repeatable.",
)
@click.option(
    "--code", type=click.Path(exists=True, file_okay=False), help="A folder sent along for a command of yours."
)
@click.option("--kind", type=click.Choice(["openai", "scoring"]), default=None, help="What a command of yours speaks.")
@click.option("--wait/--no-wait", default=True, help="Wait until its job runs.")
@project_option
@json_option
@click.argument("reference", metavar="NAME@ALIAS")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def serve(
    reference: str, command: tuple[str, ...], data: tuple[str, ...], memory: str, time: str, hours: float | None, kind: str | None,
    project: str, *, wait: bool, as_json: bool, **asked: Any,
) -> None:  # fmt: skip
    """Start a job that serves exactly the version that the alias names now, and print its address.

    \b
    fabriek model serve chat@champion --memory 2GiB
    fabriek model serve trees@3 --requirements requirements.txt
    fabriek model serve mine@4 --kind openai --code . -- python serve.py {model} {port}
    """  # noqa: D301  # the sign that click keeps lines by
    from fabriek.cli.run import mount  # noqa: PLC0415  # the options of run are not needed for help

    serving = connect(project).serving
    seconds = parse_seconds(time) if hours is None else int(hours * 3_600)
    begun = serving.serve(
        reference, command, data=dict(mount(one) for one in data), memory_bytes=parse_bytes(memory), wall_seconds_max=seconds,
        kind=kind or "", **asked,
    )  # fmt: skip
    shown = _waited(serving, begun.name) if wait else begun
    if as_json:
        print_json(shown)
        return
    say(shown.endpoint)
    click.echo(
        f"{shown.model}@{shown.version} as {shown.name}    a key: fabriek model key create {shown.name} --budget '500 requests/day'    "
        f"log: fabriek job log {shown.job_number}    stop: fabriek model stop {shown.name}",
        err=True,
    )


@model.command("served")
@project_option
@json_option
def served(project: str, *, as_json: bool) -> None:
    """Models that are served, or were: name, version, state, address."""
    columns = ["name", "model", "version", "state", "endpoint", "job_number", "ends_at"]
    empty = "nothing is served yet: fabriek model serve NAME@ALIAS"
    table(connect(project).serving.list(), columns, as_json=as_json, empty=empty)


@model.command("stop")
@click.argument("name")
@project_option
@json_option
def stop(name: str, project: str, *, as_json: bool) -> None:
    """End the job behind an address. The address and its keys stay for the next one."""
    stopped = connect(project).serving.stop(name)
    if as_json:
        print_json(stopped)
    else:
        say(f"{stopped.name} is being stopped")


@model.group("key")
def key() -> None:
    """Keys by which programs call a served model."""


@key.command("create")
@click.argument("name", metavar="SERVED")
@click.option(
    "--budget", required=True, metavar="AMOUNT", help="What it may spend: '100000 tokens', '500 requests/day', '2M tokens/month'."
)  # fmt: skip
@click.option("--days", default=30, type=click.IntRange(1, 90), help="How long it opens, 90 days at most.")
@click.option("--called", default="", help="For whom it is, to know it again.")
@click.option(
    "--paid-by",
    default="",
    metavar="PROJECT",
    help="Another project of yours for which it calls: that pays, in tokens.",
)
@project_option
@json_option
def create(name: str, budget: str, days: int, called: str, paid_by: str, project: str, *, as_json: bool) -> None:
    """Make a key and print it once; only its hash is kept. It ends with your time in the project."""
    made = connect(project).serving.create_key(name, budget=budget, days=days, name=called, paid_by=paid_by)
    if as_json:
        print_json(made)
        return
    say(made.secret)
    click.echo(
        f"{made.endpoint}    {made.key.budget}, until {made.key.expires_at.astimezone():%d %B %Y}    "
        f"end it: fabriek model key end {name} {made.key.id}",
        err=True,
    )


@key.command("ls")
@click.argument("name", metavar="SERVED")
@project_option
@json_option
def keys(name: str, project: str, *, as_json: bool) -> None:
    """Keys to a served model: whose, what is left, and until when."""
    columns = [
        "id",
        "name",
        "hint",
        "person",
        "budget",
        "left",
        "requests",
        "tokens_in",
        "tokens_out",
        "state",
        "expires_at",
    ]
    empty = f"no keys: fabriek model key create {name} --budget '500 requests/day'"
    table(connect(project).serving.keys(name), columns, as_json=as_json, empty=empty)


@key.command("end")
@click.argument("name", metavar="SERVED")
@click.argument("key_id", metavar="KEY")
@project_option
@json_option
def end(name: str, key_id: str, project: str, *, as_json: bool) -> None:
    """End a key: yours, or anybody's for who manages the project."""
    ended = connect(project).serving.end_key(name, key_id)
    if as_json:
        show(ended, as_json=True)
    else:
        say(f"{ended.id} opens nothing any more")


def _waited(serving: Any, name: str) -> ServedOut:
    clock, said = SystemClock(), ""
    give_up = clock.monotonic() + START_SECONDS_MAX
    while True:
        now: ServedOut = serving.show(name)
        if now.state == "running":
            return now
        if now.state in ENDED:
            raise WrongState(f"it has ended: {now.why}", fix=f"fabriek job log {now.job_number}")
        if clock.monotonic() > give_up:
            raise Unavailable(f"it has not started: {now.why}", fix="fabriek model served")
        if now.why != said:
            said = now.why
            click.echo(said, err=True)
        clock.sleep(0.1)
