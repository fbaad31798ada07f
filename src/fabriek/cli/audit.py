"""`fabriek audit`: read the log, take it along, verify it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import clean, json_option, print_json, say, show, table
from fabriek.cli.session import connect
from fabriek.schemas.codes import MEANINGS, Code

if TYPE_CHECKING:
    from fabriek.schemas.audit import VerifiedOut

file_type = click.Path(path_type=Path, dir_okay=False)


@click.group(cls=Group)
def audit() -> None:
    """Read and verify the audit log."""


@audit.command("ls")
@click.option("--subject", default="", metavar="ID", help="Only events about this thing.")
@click.option("--person", default="", metavar="ID", help="Only acts of this person.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@json_option
def ls(subject: str, person: str, limit: int, *, as_json: bool) -> None:
    """Events, newest first. They hold ids only."""
    listed = connect().audit.events(subject=subject, person=person, limit=limit).items
    table(listed, ["at", "action", "subject", "person", "job", "facts"], as_json=as_json, empty="no such events")


@audit.command("checkpoint")
@json_option
def checkpoint(*, as_json: bool) -> None:
    """What the log commits to now, signed. Keep it elsewhere: with it a rewritten log is caught."""
    said = connect().audit.checkpoint()
    if as_json:
        show(said, as_json=True)
    else:
        click.echo(clean(said.note), nl=False)


@audit.command("export")
@click.argument("file", type=file_type)
@json_option
def export(file: Path, *, as_json: bool) -> None:
    """Write the whole log into FILE, which can be verified without this server."""
    written = connect().audit.export(file)
    if as_json:
        print_json({"file": str(file), "bytes": written})
    else:
        say(f"{file}: {written} bytes. Verify it anywhere: fabriek audit verify --bundle {file}")


@audit.command("verify")
@click.option("--bundle", type=file_type, help="Verify an export, without any server.")
@click.option("--key", default="", metavar="KEY", help="The log's verifier key, from a source you trust.")
@click.option("--kept", type=file_type, multiple=True, help="A checkpoint that you or a witness kept.")
@click.option("--witness", "witnesses", multiple=True, metavar="KEY", help="The verifier key of a witness.")
@click.option("--accept-new-key", is_flag=True, help="Forget the key and checkpoint kept on this machine.")
@json_option
def verify(
    bundle: Path | None,
    key: str,
    kept: tuple[Path, ...],
    witnesses: tuple[str, ...],
    *,
    accept_new_key: bool,
    as_json: bool,
) -> int:
    """Recompute the whole log on this machine, and name what does not hold. Leaves with 10 when something does not.

    The first time, the log's key is kept here; from then on, another key or a rewritten past is refused.
    """
    from fabriek.sdk.audit import trust_of, verify_file  # noqa: PLC0415  # cryptography: help should not pay for it

    trust = trust_of(key, kept, witnesses)
    outcome = (
        verify_file(bundle, trust=trust)
        if bundle
        else connect().audit.verify(trust=trust, accept_new_key=accept_new_key)
    )
    if as_json:
        print_json(outcome)
    else:
        _tell(outcome)
    return 0 if outcome.consistent else MEANINGS[Code.DAMAGED].exit


def _tell(outcome: "VerifiedOut") -> None:
    said = click.style(outcome.says, fg="green" if outcome.consistent else "red", bold=not outcome.consistent)
    click.echo(f"{outcome.entries} entries: {said}")
    for finding in outcome.findings:
        say(f"  bad      {finding}")
    if outcome.pending:
        say(f"  pending  {len(outcome.pending)} not under a checkpoint yet: {', '.join(outcome.pending[:5])}")
    says = {
        "log": "taken from the log itself: compare it with one that you were given elsewhere",
        "pinned": "kept here since an earlier time",
    }
    say(f"  key      {outcome.key} ({says.get(outcome.key_from, 'as given')})")
    if not outcome.witnessed:
        say("  witness  none: whoever holds the signing key could re-sign a rewritten log; keep checkpoints elsewhere")


@audit.command("certificate")
@click.argument("file", type=file_type)
@click.option("--key", required=True, metavar="KEY", help="The log's verifier key, from a source you trust.")
@json_option
def certificate(file: Path, key: str, *, as_json: bool) -> None:
    """Check the certificate of an erasure, without any server; leaves with 10 where it does not hold."""
    from fabriek.sdk.erasing import read_certificate  # noqa: PLC0415  # the SDK's cryptography, for this one command

    said = read_certificate(file.read_text("utf-8"), key)
    if as_json:
        print_json(said)
    else:
        dataset, keys = said["dataset"], said["keys_destroyed"]
        say(
            f"{dataset['name']} ({dataset['id']}) was erased at {said['erased_at']}: {len(keys)} keys, {len(said['versions'])} versions"
        )
        say(said["covers"])
