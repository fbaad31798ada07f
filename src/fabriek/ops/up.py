"""`fabriek up` and `fabriek down`: the embedded factory, one process, nothing else to install."""

import gc
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from fabriek.kernel.clock import SystemClock
from fabriek.kernel.errors import InvalidInput, Unavailable
from fabriek.ops.home import Home
from fabriek.ops.passphrase import asked_for
from fabriek.sdk.environment import Context, forget_context, save_context
from fabriek.settings import LOOPBACK, read_settings

STOP_SECONDS_MAX = 20
START_SECONDS_MAX = 60

home_option = click.option(
    "--home", type=click.Path(path_type=Path), help="Folder of the installation; default ~/.fabriek."
)


@click.command()
@home_option
@click.option("--host", help="Address to listen on; default 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; default 8470, 0 takes a free one.")
@click.option(
    "--quickstart", is_flag=True, help="Make a person and a project with credits, and print what a shell needs."
)
@click.option("--detach", is_flag=True, help="Return once it serves; stop it with `fabriek down`.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
@click.option("--passphrase-fd", type=int, help="The descriptor to read the keyring's passphrase from, to its end.")
@click.option("--announce-fd", type=int, hidden=True, help="Where a detached server says that it is ready.")
def up(
    home: Path | None,
    host: str | None,
    port: int | None,
    *,
    quickstart: bool,
    detach: bool,
    as_json: bool,
    passphrase_fd: int | None,
    announce_fd: int | None,
) -> None:
    """Start a factory on this machine and serve until it is stopped.

    `--quickstart` prints FABRIEK_URL, FABRIEK_TOKEN, FABRIEK_PROJECT, MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN, and
    writes the context file, so that `fabriek` works in any other terminal.
    """
    settings = read_settings(home=home, host=host, port=port)
    if settings.host not in LOOPBACK:
        reason = (
            "the quick start hands out rights without asking who you are"
            if quickstart
            else "plain HTTP would show tokens to the network"
        )
        raise InvalidInput(f"{settings.host} is not loopback, and {reason}", fix="leave out --host")
    passphrase = asked_for(settings, passphrase_fd)
    if detach:
        _start_detached(
            settings.home, settings.host, settings.port, quickstart=quickstart, as_json=as_json, passphrase=passphrase
        )
        return
    gc.disable()  # what is loaded stays, and looking for waste in it is a fifth of what the start costs
    from fabriek.ops.running import Announcement, run  # noqa: PLC0415  # the whole server: help should not pay for it

    gc.freeze()
    gc.enable()

    def announce(said: Announcement) -> None:
        if announce_fd is not None:
            with os.fdopen(announce_fd, "w", encoding="utf-8") as out:
                json.dump(said.as_dict(), out)
        else:
            remember_and_print(said.as_dict(), as_json=as_json)

    run(settings, quickstart=quickstart, announce=announce, passphrase=passphrase)


@click.command()
@home_option
def down(home: Path | None) -> None:
    """Stop the factory of this home. Running jobs go on and are found again at the next start."""
    where = Home(read_settings(home=home).home)
    running = where.running()
    os.kill(running.pid, signal.SIGTERM)
    clock = SystemClock()
    give_up = clock.monotonic() + STOP_SECONDS_MAX
    while _alive(running.pid):
        if clock.monotonic() > give_up:
            raise Unavailable(f"process {running.pid} does not stop", fix=f"kill -9 {running.pid}")
        clock.sleep(0.05)
    forget_context(running.url)
    click.echo(f"stopped {running.url}")


def remember_and_print(said: dict[str, Any], *, as_json: bool) -> None:
    """Prints where the factory is; after a quick start also writes the context file."""
    variables: dict[str, str] = said["variables"]
    if variables.get("FABRIEK_TOKEN"):
        save_context(
            Context(variables["FABRIEK_URL"], variables["FABRIEK_TOKEN"], variables.get("FABRIEK_PROJECT", ""))
        )
    if as_json:
        click.echo(
            json.dumps(
                {**variables, **({"bootstrap": said["bootstrap"]} if said["bootstrap"] else {}), "pid": said["pid"]}
            )
        )
    else:
        for name, value in variables.items():
            click.echo(f"export {name}={value}")
        if said["bootstrap"]:
            click.echo(
                f"# first sign-in: fabriek login --url {variables['FABRIEK_URL']} --bootstrap {said['bootstrap']}"
            )
        if said.get("sign_in"):
            click.echo(f"# the portal, signed in once: {said['sign_in']}")
    sys.stdout.flush()


def _start_detached(
    home: Path, host: str, port: int, *, quickstart: bool, as_json: bool, passphrase: str | None
) -> None:
    place = Home(home)
    place.prepare()
    read_end, write_end = os.pipe()
    arguments = ["up", "--home", str(home), "--host", host, "--port", str(port), "--announce-fd", str(write_end)]
    if quickstart:
        arguments.append("--quickstart")
    passed = [write_end]
    if passphrase is not None:
        # Through a pipe, which nobody else can read: arguments and variables of a process can be seen.
        passphrase_end, ours = os.pipe()
        os.write(ours, passphrase.encode())
        os.close(ours)
        arguments += ["--passphrase-fd", str(passphrase_end)]
        passed.append(passphrase_end)
    log = home / "logs" / "server.log"
    with log.open("a", encoding="utf-8") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "fabriek.cli", *arguments],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, pass_fds=passed,
        )  # fmt: skip
    for descriptor in passed:
        os.close(descriptor)
    with os.fdopen(read_end, encoding="utf-8") as announced:
        said = announced.read()
    if not said:
        child.wait(START_SECONDS_MAX)
        raise Unavailable(_last_words(log), fix=f"see {log}")
    remember_and_print(json.loads(said), as_json=as_json)


def _last_words(log: Path) -> str:
    lines = log.read_text("utf-8", errors="replace").splitlines()
    error = next((line for line in reversed(lines) if line.startswith("error ")), "")
    return error or "the server did not start"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A stopped child of ours that nobody has waited for is not alive either.
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
