"""`fabriek model`: what is known of registered models, their cards, and their promotion."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabriek.cli.groups import Headed
from fabriek.cli.output import json_option, plain, print_json, project_option, say, show, table
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput

if TYPE_CHECKING:
    from fabriek.schemas.models import ModelOut, PromotionOut

STDIN = "-"


HEADINGS = {
    "Look": ("ls", "show", "card", "bases", "served"),
    "Promote": ("rule", "promote", "promotions", "agree", "refuse"),
    "Base models": ("push", "remove"),
    "Serve": ("serve", "stop", "key"),
}


@click.group(cls=Headed, headings=HEADINGS)
def model() -> None:
    """Models: look at them, promote and serve them, bring base models in.

    MODEL is NAME for the newest version, NAME@3, or NAME@ALIAS.
    """


@model.command("ls")
@project_option
@json_option
def ls(project: str, *, as_json: bool) -> None:
    """The newest version of each model of the project."""
    found = connect(project).models.newest()
    columns = ["name", "version", "aliases", "label", "mark", "licence", "created_at"]
    named = [plain(one) | {"aliases": [f"{alias}@{number}" for alias, number in one.points.items()]} for one in found]
    table(found if as_json else named, columns, as_json=as_json, empty="no models yet: mlflow.register_model, in a run")


@model.command("show")
@click.argument("name", metavar="MODEL")
@project_option
@json_option
def show_model(name: str, project: str, *, as_json: bool) -> None:
    """All that is known of a version: data, metrics, files and how safe they are, promotions."""
    found = connect(project).models.show(name)
    if as_json:
        print_json(found)
    else:
        _tell(found)


@model.command("card")
@click.argument("name", metavar="MODEL")
@click.option("--write", metavar="FILE", help="Take the card from FILE, or from standard input where it is -.")
@click.option("--licence", metavar="SPDX", help="Say its licence: Apache-2.0, EUPL-1.2, or other.")
@click.option("--licence-name", default="", metavar="NAME", help="What another licence is called.")
@click.option("--licence-link", default="", metavar="URL", help="Where it can be read.")
@project_option
@json_option
def card(
    name: str, write: str | None, licence: str | None, licence_name: str, licence_link: str, project: str, *, as_json: bool
) -> None:  # fmt: skip
    """Read a model's card, or write it: Markdown behind YAML front matter, as on the Hugging Face Hub."""
    if write is not None and licence is not None:
        raise InvalidInput(
            "a card is written, or its licence is", fix="say the licence in the front matter of the card"
        )
    models = connect(project).models
    if write is not None:
        found = models.write_card(name, _text(write))
    elif licence is not None:
        found = models.write_licence(name, licence, name=licence_name, link=licence_link)
    else:
        found = models.card(name)
    if as_json:
        print_json(found)
    elif write is None and licence is None:
        say(found.text)
    else:
        say(f"the card is kept; licence: {found.licence or 'none was said'}")


@model.command("promote")
@click.argument("name", metavar="MODEL")
@click.argument("alias")
@click.option("--reason", required=True, help="Why this version; who agrees reads it.")
@project_option
@json_option
def promote(name: str, alias: str, reason: str, project: str, *, as_json: bool) -> None:
    """Propose a version for an alias that moves by a rule. What the rule asks for must hold."""
    made = connect(project).models.promote(name, alias, reason)
    if as_json:
        print_json(made)
        return
    _checks(made)
    if made.outcome == "agreed":
        say(f"{made.model}@{made.alias} is version {made.version} now")
    else:
        say(f"{made.id} waits for a second person: fabriek model agree {made.id}")


@model.command("promotions")
@click.argument("name", metavar="[NAME]", default="")
@project_option
@json_option
def promotions(name: str, project: str, *, as_json: bool) -> None:
    """What was proposed and decided, newest first."""
    found = connect(project).models.promotions(name)
    columns = ["id", "model", "version", "alias", "outcome", "proposed_by_name", "decided_by_name", "reason"]
    table(found, columns, as_json=as_json, empty="nothing was proposed yet")


@model.command("agree")
@click.argument("promotion")
@json_option
def agree(promotion: str, *, as_json: bool) -> None:
    """Agree to PROMOTION as the second person: the alias goes to the version."""
    made = connect().models.agree(promotion)
    if as_json:
        print_json(made)
        return
    _checks(made)
    say(f"{made.model}@{made.alias} is version {made.version} now")


@model.command("refuse")
@click.argument("promotion")
@click.option("--reason", required=True, help="Why; who proposed it reads it.")
@json_option
def refuse(promotion: str, reason: str, *, as_json: bool) -> None:
    """Refuse PROMOTION, or take one's own back."""
    show(connect().models.refuse(promotion, reason), as_json=as_json)


@model.command("rule")
@click.argument("alias", default="")
@click.option("--metric", "metrics", multiple=True, metavar="BOUND", help="Such as test_auc>=0.9, of the version's run; repeatable.")  # fmt: skip
@click.option(
    "--job",
    "jobs",
    multiple=True,
    metavar="NAME",
    help="A job of this name must have succeeded on it: models:/MODEL/N in its command, or its job's /output read; repeatable.",
)
@click.option("--one-person", is_flag=True, help="Nobody else need agree.")
@click.option("--allow-code", is_flag=True, help="Files that run something when they are opened may be promoted too.")
@click.option("--remove", is_flag=True, help="Take the rule away.")
@project_option
@json_option
def rule(
    alias: str, metrics: tuple[str, ...], jobs: tuple[str, ...], project: str, *, one_person: bool, allow_code: bool,
    remove: bool, as_json: bool,
) -> None:  # fmt: skip
    """Say what ALIAS needs, as a lead of the project; without ALIAS, the rules that there are.

    \b
    fabriek model rule champion --metric 'test_auc>=0.9' --job evaluate
    """  # noqa: D301  # the sign that click keeps lines by
    models = connect(project).models
    if not alias:
        columns = ["alias", "asks", "set_by_name", "set_at"]
        table(models.rules(), columns, as_json=as_json, empty="no rules yet: fabriek model rule ALIAS")
    elif remove:
        models.remove_rule(alias)
        say(f"{alias} moves by no rule any more")
    else:
        made = models.set_rule(alias, metrics=metrics, jobs=jobs, second_person=not one_person, allows_code=allow_code)
        if as_json:
            print_json(made)
        else:
            say(f"{made.alias} asks for: {made.asks}")


def _tell(found: "ModelOut") -> None:
    say(f"{found.name}@{found.version}" + "".join(f"  @{one}" for one in found.aliases))
    rows = [
        ("label", found.label),
        ("licence", found.licence or "none was said"),
        ("run", found.run),
        ("job", found.job or "none"),
    ]
    rows += [("files", f"{found.mark}, {found.sha256}" if found.intact else "CHANGED since they were registered")]
    rows += [
        ("registered", f"{found.created_at.astimezone():%Y-%m-%d %H:%M:%S} {', '.join(found.registered_by_names)}")
    ]
    rows += [
        ("data", f"{one.name}@{one.version}  {one.label}  {one.content_hash or 'removed since'}")
        for one in found.inputs
    ]
    rows += [("from", f"{one.name} {one.commit[:12]}  {one.label}  {one.sha256}") for one in found.base_models]
    rows += [("metric", "withheld by its label")] if found.withheld else []
    rows += [
        ("metric", f"{key} {'not a number' if value is None else f'{value:g}'}") for key, value in found.metrics.items()
    ]
    if found.signature:
        parts = (("takes", found.signature.inputs), ("gives", found.signature.outputs))
        rows += [
            (name, ", ".join(f"{one.name} {one.kind}".strip() for one in columns)) for name, columns in parts if columns
        ]
    for one in found.files:
        rows.append((one.mark, f"{one.path}  {one.format}" + (f": {one.why}" if one.why else "")))
    for made in found.promotions:
        decided = f", {made.outcome} by {made.decided_by_name}" if made.decided_by else ", waits for a second person"
        rows.append((f"@{made.alias}", f"{made.id} proposed by {made.proposed_by_name}{decided}"))
    for name, value in rows:
        say(f"  {name:<11} {value}")


def _checks(made: "PromotionOut") -> None:
    for one in made.checks:
        say(f"  {one.asked}: {one.found}")


def _text(file: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
        return raw.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read ({type(error).__name__})", fix="name a Markdown file") from None
