"""Step 10: the log is proved, a backup comes back to life elsewhere, and the books are shown."""

from pathlib import Path

import click

from fabriek.ops.story.opening import DATASET
from fabriek.ops.story.stage import Stage
from fabriek.sdk import Fabriek


def proofs(stage: Stage) -> str:
    """`audit verify`, `backup`, and `restore` into a second home that answers with the same content."""
    verified = stage.command("operator", "audit", "verify")
    assert verified.returncode == 0, verified
    base = stage.home.parent
    copy, keys, second = base / "backup", base / "backup.keys", base / "second"
    for arguments in (
        ("backup", str(copy), "--keys", str(keys), "--home", str(stage.home)),
        ("restore", str(copy), "--keys", str(keys), "--home", str(second)),
    ):
        done = stage.command("operator", *arguments)
        assert done.returncode == 0, done
    compared = _compare(stage, second)
    return f"{verified.stdout.strip().splitlines()[0]}; backed up and restored: {compared} of {compared} versions have the same content"


def _compare(stage: Stage, second: Path) -> int:
    """Starts the restored factory and asks both: the tokens, keys and data came along, so the same people see the same content."""
    here = stage.people["hospital"]
    announced = stage.up(second)
    try:
        there = Fabriek(announced["FABRIEK_URL"], here.client.token, stage.project)
        ours = [one.content_hash for one in here.vault.versions(DATASET)]
        theirs = [one.content_hash for one in there.vault.versions(DATASET)]
        assert ours == theirs == [stage.results["content"]]
        assert there.vault.verify(DATASET) == []
    finally:
        stage.down(second)
    return len(ours)


def books(stage: Stage) -> None:
    """Per share: granted, held, used; and the sum of everything."""
    table = stage.people["funder"].funding.table()
    click.echo()
    click.echo(f"{'share':10} {'resource':12} {'granted':>10} {'awarded':>10} {'held':>8} {'used':>12}")
    for row in table.rows:
        awarded = _number(row.granted) - _number(row.unawarded)
        click.echo(f"{row.share:10} {row.resource:12} {row.granted:>10} {awarded:>10,g} {row.held:>8} {row.used:>12}")
    click.echo("the sum of all entries is zero" if table.balanced else "THE LEDGER DOES NOT SUM TO ZERO")
    assert table.balanced


def links(stage: Stage, terms: str) -> None:
    """A one-time sign-in link for each person, to walk the portal. `terms`: how long they are good."""
    click.echo()
    click.echo(f"The portal: {stage.url}    {terms}:")
    for role, factory in stage.people.items():
        click.echo(f"  {role:11} {factory.access.sign_in_link()}")


def _number(text: str) -> float:
    return float(text.replace(",", ""))
