"""`fabriek data`, the part about terms, requests on their way, open grants and labels."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabriek.cli.output import json_option, print_json, project_option, say, show, table
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput

if TYPE_CHECKING:  # every command about data would pay for it
    from fabriek.schemas.agreements import LabelOut

DAY = click.DateTime(["%Y-%m-%d"])


@click.command("labels")
@json_option
def labels(*, as_json: bool) -> None:
    """The labels of this installation. What is two things at once is labelled A+B."""
    known = connect().agreements.labels()
    if as_json:
        print_json(known)
        return
    rows = [{"name": one.name, "above": one.above, "asks_for": _demands(one)} for one in known.labels]
    table(rows, ["name", "above", "asks_for"], as_json=False)
    for old in known.retired:
        say(f"{old.name} ({old.scheme}, replaced by {old.successor}) is read as {old.now}")


@click.command("terms")
@click.argument("name")
@click.option(
    "--file", "path", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Set them: a text in Markdown."
)
@click.option(
    "--question",
    "questions",
    multiple=True,
    help="With --file: a question that a request answers; repeatable. Without one, those of before stay.",
)
@click.option("--no-questions", is_flag=True, help="With --file: a request answers none any more.")
@click.option(
    "--decides",
    "committee",
    multiple=True,
    metavar="PERSON",
    help="With --file: an id of who decides; repeatable. Without one, those of before stay.",
)
@click.option("--owner-decides", is_flag=True, help="With --file: no committee any more, the owner's people decide.")
@project_option
@json_option
def terms(
    name: str,
    path: Path | None,
    questions: tuple[str, ...],
    committee: tuple[str, ...],
    project: str,
    *,
    no_questions: bool,
    owner_decides: bool,
    as_json: bool,
) -> None:
    """The terms of a dataset. With --file, new ones for agreements from now on."""
    agreements = connect(project).agreements
    asked, deciding = (
        _said(questions, none=no_questions, options="--question or --no-questions"),
        _said(committee, none=owner_decides, options="--decides or --owner-decides"),
    )
    if path is None:
        if asked is not None or deciding is not None:
            raise InvalidInput(
                "a form and who decides are set with a text", fix=f"fabriek data terms {name} --file terms.md"
            )
        found = agreements.terms(name, project=project)
    else:
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            raise InvalidInput(f"{path} is not text in UTF-8", fix="save it as UTF-8") from None
        found = agreements.set_terms(name, text, questions=asked, committee=deciding, project=project)
    if as_json:
        print_json(found)
        return
    say(found.text)
    for question in found.questions:
        say(f"asks  {question}")
    say(f"terms number {found.number}, sha256 {found.sha256}")


@click.command("accept")
@click.argument("name")
@click.option(
    "--yes", "sha256", default="", metavar="SHA256", help="Without being asked: the hash of the terms that you read."
)
@project_option
@json_option
def accept(name: str, sha256: str, project: str, *, as_json: bool) -> None:
    """Read the terms on a dataset and accept them for yourself.

    They are those of the agreements that your projects have on it.
    """
    agreements = connect(project).agreements
    waiting = agreements.unaccepted(name, project=project)
    done = []
    for one in waiting:
        if sha256:
            if sha256 != one.sha256:
                continue
        else:
            say(one.text)
            click.confirm(f"Do you accept terms number {one.number} ({one.sha256[:12]}…)?", abort=True, err=True)
        done.append(agreements.accept(one))
    if sha256 and waiting and not done:
        raise InvalidInput("no terms that wait for you have this hash", fix=f"fabriek data terms {name}")
    table(done, ["number", "sha256", "accepted_at"], as_json=as_json, empty="nothing waits for you to accept")


@click.command("acceptances")
@click.argument("name")
@project_option
@json_option
def acceptances(name: str, project: str, *, as_json: bool) -> None:
    """Who accepted which terms of your dataset."""
    found = connect(project).agreements.acceptances(name, project=project)
    table(found, ["accepted_at", "person_name", "number", "sha256"], as_json=as_json)


@click.command("move")
@click.argument("request")
@click.argument("state")
@click.option("--words", default="", help="A few words; returning and rejecting need them.")
@click.option(
    "--answer", "answers", multiple=True, metavar="QUESTION=ANSWER", help="An answer to the form; repeatable."
)
@json_option
def move(request: str, state: str, words: str, answers: tuple[str, ...], *, as_json: bool) -> None:
    """Take a request to its next state.

    `sent`, `closed` by who asked; `review`, `returned`, `rejected`, `closed` by who decides.
    """
    show(connect().agreements.move(request, state, words=words, answers=answers_of(answers)), as_json=as_json)


@click.command("approve")
@click.argument("request")
@click.option("--until", required=True, type=DAY, metavar="YYYY-MM-DD", help="The last day; it counts.")
@click.option(
    "--place", "places", multiple=True, help="Where jobs may run: NL, or NL/OWNER; repeatable. Default: anywhere."
)
@click.option("--words", default="", help="A few words.")
@json_option
def approve(request: str, until: datetime, places: tuple[str, ...], words: str, *, as_json: bool) -> None:
    """Say yes to a request: an agreement with the asker's project."""
    made = connect().agreements.approve(request, until=until.date(), places=places, words=words)
    show(made, as_json=as_json)


@click.command("grants")
@click.argument("name")
@project_option
@json_option
def grants(name: str, project: str, *, as_json: bool) -> None:
    """What is open of a dataset now. All of it for its owner, your own for you."""
    found = connect(project).agreements.grants(name, project=project)
    columns = ["grant", "right", "person_name", "job", "project", "opened_at", "expires_at"]
    table(found, columns, as_json=as_json, empty="nothing is open")


@click.command("revoke")
@click.argument("grant")
def revoke(grant: str) -> None:
    """End what somebody has open. Who still has the right may open it anew; `fabriek data end` ends that."""
    connect().agreements.revoke(grant)
    say(f"{grant} is closed")


@click.command("lower")
@click.argument("name")
@click.argument("label")
@click.option("--reason", required=True, help="Why the lower label is right.")
@project_option
@json_option
def lower(name: str, label: str, reason: str, project: str, *, as_json: bool) -> None:
    """Propose a lower label for a dataset. A second person signs."""
    show(connect(project).agreements.lower(name, label, reason, project=project), as_json=as_json)


@click.command("lowerings")
@click.argument("name")
@project_option
@json_option
def lowerings(name: str, project: str, *, as_json: bool) -> None:
    """Lowerings of a dataset's label: proposed, agreed and refused."""
    found = connect(project).agreements.lowerings(name, project=project)
    table(found, ["id", "label", "covers", "outcome", "proposed_by_name", "signed_by_names", "reason"], as_json=as_json)


@click.command("sign")
@click.argument("proposal")
@json_option
def sign(proposal: str, *, as_json: bool) -> None:
    """Agree to a lowering or a release that somebody else proposed."""
    show(connect().agreements.sign(proposal), as_json=as_json)


@click.command("refuse")
@click.argument("proposal")
@click.option("--reason", required=True, help="Why not.")
@json_option
def refuse(proposal: str, reason: str, *, as_json: bool) -> None:
    """Refuse a lowering or a release, or take your own back."""
    show(connect().agreements.refuse(proposal, reason), as_json=as_json)


def _said(given: tuple[str, ...], *, none: bool, options: str) -> tuple[str, ...] | None:
    """What is to stand from now on; None for what stands. Raises InvalidInput on both at once."""
    if given and none:
        raise InvalidInput("some and none at once cannot be", fix=options)
    return given if given or none else None


def _demands(label: "LabelOut") -> list[str]:
    """What the label asks for, in words."""
    asked = (
        (label.needs_agreement, "an agreement"),
        (label.whole_gpus, "whole GPUs"),
        (label.logs_withheld, "a release"),
        (label.needs_accreditation, "accreditation"),
    )
    return [words for is_asked, words in asked if is_asked] + [f"in {place}" for place in label.places]


def answers_of(texts: tuple[str, ...]) -> dict[str, str]:
    """`QUESTION=ANSWER`, each once. Raises InvalidInput."""
    pairs = [text.partition("=") for text in texts]
    if any(not equals or not question for question, equals, _ in pairs):
        raise InvalidInput("an answer is written QUESTION=ANSWER", fix='--answer "What for?=A study"')
    return {question.strip(): answer.strip() for question, _, answer in pairs}


ALL = (labels, terms, accept, acceptances, move, approve, grants, revoke, lower, lowerings, sign, refuse)
