"""`fabriek model push, bases, remove`: base models, which others trained and the project brings in."""

from pathlib import Path

import click

from fabriek.cli.model import model
from fabriek.cli.output import counted, json_option, print_json, project_option, say, table
from fabriek.cli.progress import bar
from fabriek.cli.session import connect
from fabriek.kernel.units import shown_bytes
from fabriek.sdk.base_models import Watching

BASES = ["name", "licence", "label", "size", "mark", "commit", "branches"]

__all__ = ["model"]


@model.command("push")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("name")
@click.option("--revision", default="main", show_default=True, metavar="NAME", help="The branch that this becomes.")
@click.option("--licence", default="", metavar="NAME", help="Where its card names none: apache-2.0, mit …")
@click.option("--label", default="", help="Higher than internal, or than what the model carries by now.")
@click.option("--allow-code", is_flag=True, help="Take pickles and programs too. They run when they are loaded.")
@project_option
@json_option
def push(
    folder: Path, name: str, revision: str, licence: str, label: str, project: str, *, allow_code: bool, as_json: bool
) -> None:
    """Bring in a base model: a folder with its files, its card (README.md) and its licence. Jobs find it at once, by its name."""
    factory = connect(project)
    with bar(f"sending {name}") as drawn:
        done = factory.base_models.push(
            folder, name, revision=revision, licence=licence, label=label, allow_code=allow_code,
            watching=Watching(drawn.expect, drawn.advance),
        )  # fmt: skip
    if as_json:
        print_json(done)
        return
    state = "" if done.new else "  as it was"
    say(
        f"{done.name}@{revision}  {done.commit[:12]}  {counted(done.files, 'file')}, {shown_bytes(done.size_bytes)}{state}"
    )
    say(f"licence {done.licence}, labelled {done.label}{', marked as code' if done.code else ''}")
    say(f'in a job: from_pretrained("{done.name}"); elsewhere with HF_ENDPOINT={factory.base_models.endpoint}')


@model.command("bases")
@project_option
@json_option
def bases(project: str, *, as_json: bool) -> None:
    """The project's base models."""
    found = connect(project).base_models.list()
    if as_json:
        print_json(list(found))
        return
    rows = [
        one.model_dump()
        | {
            "size": shown_bytes(one.size_bytes),
            "mark": "code" if one.code else "data",
            "commit": one.commit[:12],
            "branches": sorted(one.branches),
        }
        for one in found
    ]
    table(rows, BASES, as_json=False, empty="none yet; fabriek model push DIR NAME")


@model.command("remove")
@click.argument("name")
@project_option
def remove(name: str, project: str) -> None:
    """Remove a base model with all its revisions: its keys are destroyed. For leads."""
    connect(project).base_models.remove(name)
    say(f"{name} is removed, and its keys are destroyed")
