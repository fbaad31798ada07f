"""`fabriek data hold, keep, erase …`: how long data stays, and how it goes for ever."""

from datetime import datetime
from pathlib import Path

import click

from fabriek.cli.data import DAY, data
from fabriek.cli.output import json_option, print_json, project_option, say, show, table
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput

reason_option = click.option("--reason", required=True, help="Why; it stays on record.")


@data.command("hold")
@click.argument("name")
@reason_option
@project_option
@json_option
def hold(name: str, reason: str, project: str, *, as_json: bool) -> None:
    """Put a legal hold on a dataset. Nothing of it is erased, removed or collected. For security officers."""
    show(connect(project).erasing.hold(name, reason, project=project), as_json=as_json)


@data.command("unhold")
@click.argument("name")
@reason_option
@project_option
@json_option
def unhold(name: str, reason: str, project: str, *, as_json: bool) -> None:
    """Lift the holds on a dataset. For security officers."""
    show(connect(project).erasing.unhold(name, reason, project=project), as_json=as_json)


@data.command("holds")
@click.argument("name")
@project_option
@json_option
def holds(name: str, project: str, *, as_json: bool) -> None:
    """The legal holds on a dataset, lifted ones too."""
    found = connect(project).erasing.holds(name, project=project)
    table(found, ["set_at", "reason", "lifted_at", "lifted_because"], as_json=as_json, empty="none")


@data.command("keep")
@click.argument("name")
@click.option("--until", type=DAY, metavar="YYYY-MM-DD", help="Not erased before the end of this day.")
@click.option("--erase-after", type=DAY, metavar="YYYY-MM-DD", help="Erased by itself when this day has passed.")
@project_option
@json_option
def keep(name: str, until: datetime | None, erase_after: datetime | None, project: str, *, as_json: bool) -> None:
    """Until when your dataset is kept, and when it is erased.

    Sets both dates: one that is left out is taken away, as far as nothing was promised.
    """
    kept = connect(project).erasing.retain(
        name, keep_until=until.date() if until else None, erase_after=erase_after.date() if erase_after else None,
        project=project,
    )  # fmt: skip
    show(kept, as_json=as_json)


@data.command("erase")
@click.argument("name")
@reason_option
@click.option("--confirm", default="", metavar="NAME", help="Say the name once more here, instead of on the terminal.")
@project_option
@json_option
def erase(name: str, reason: str, confirm: str, project: str, *, as_json: bool) -> None:
    """Destroy all keys of your dataset, for ever. You get a certificate that says so."""
    erasing = connect(project).erasing
    asked = erasing.ask(name, reason, project=project)
    if not confirm:
        say(f"{asked.name} with its {asked.versions} versions will open for nobody, ever. There is no way back.")
        confirm = click.prompt("Type the name of the dataset to confirm", default="", show_default=False)
    if not confirm:
        raise InvalidInput("nothing was erased", fix=f"fabriek data erase {name} --reason … --confirm {asked.name}")
    erased = erasing.confirm(asked, confirm, project=project)
    if as_json:
        print_json(erased)
    else:
        say(
            f"erased {asked.name} at {erased.erased_at:%Y-%m-%d %H:%M} UTC; its certificate: fabriek data certificate {asked.dataset}"
        )


@data.command("certificate")
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="The file to write; default: standard output.")
@project_option
def certificate(name: str, out: Path | None, project: str) -> None:
    """The signed certificate of a dataset's erasure. Anybody checks it with `fabriek audit certificate`."""
    text = connect(project).erasing.certificate(name, project=project)
    if out is None:
        click.echo(text)
    else:
        out.write_text(text + "\n", "utf-8")


@data.command("rotate")
@click.argument("name")
@project_option
@json_option
def rotate(name: str, project: str, *, as_json: bool) -> None:
    """Give your dataset a new key. The keys of all its versions are wrapped under it; nothing is sent again."""
    show(connect(project).keys.rotate_dataset(name, project=project), as_json=as_json)
