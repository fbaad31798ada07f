"""`fabriek review`: judging applications, and following one's own."""

import csv
import sys

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import clean, json_option, say, show, table
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.spreadsheets import shown_cell


@click.group("review", cls=Group)
def review() -> None:
    """Judge applications, or follow your own."""


@review.command("ls")
@json_option
def ls(*, as_json: bool) -> None:
    """What waits for you, the most urgent first, and what you were told."""
    factory = connect()
    table(factory.reviewing.list(), ["application", "title", "state", "percent", "due_at", "next"], as_json=as_json)
    if not as_json:
        for one in factory.reviewing.told():
            say(f"{one.made_at:%Y-%m-%d}: {one.says}")


@review.command("show")
@click.argument("application")
@json_option
def show_review(application: str, *, as_json: bool) -> None:
    """One application: its state in plain words, its clock, what was asked and found."""
    show(connect().reviewing.show(application), as_json=as_json)


@review.command("take")
@click.argument("application")
@json_option
def take(application: str, *, as_json: bool) -> None:
    """See to an application: its alarms come to you."""
    show(connect().reviewing.take(application), as_json=as_json)


@review.command("ask")
@click.argument("application")
@click.argument("question")
@click.option("--field", "fields", multiple=True, help="An answer that they may change meanwhile; repeatable.")
@json_option
def ask(application: str, question: str, fields: tuple[str, ...], *, as_json: bool) -> None:
    """Ask the applicant something; the clock stands still until they answer."""
    show(connect().reviewing.ask(application, question, fields=fields), as_json=as_json)


@review.command("answer")
@click.argument("application")
@click.argument("words")
@json_option
def answer(application: str, words: str, *, as_json: bool) -> None:
    """Answer what you were asked about your application."""
    show(connect().reviewing.answer(application, words), as_json=as_json)


@review.command("withdraw")
@click.argument("application")
@json_option
def withdraw(application: str, *, as_json: bool) -> None:
    """Take your application back."""
    show(connect().reviewing.withdraw(application), as_json=as_json)


@review.command("overrule")
@click.argument("application")
@click.option("--motive", required=True, help="Why, in a sentence.")
@json_option
def overrule(application: str, motive: str, *, as_json: bool) -> None:
    """Make eligible what the automatic check refused."""
    show(connect().reviewing.overrule(application, motive), as_json=as_json)


@review.command("measure")
@click.argument("application")
@click.option("--on", "runs", multiple=True, required=True, metavar="NODES=SECONDS", help="One node count; repeat it.")
@click.option("--input", "named", required=True, help="What all of them ran on.")
@click.option("--nodes", default=0, help="How many nodes you want to use.")
@json_option
def measure(application: str, runs: tuple[str, ...], named: str, nodes: int, *, as_json: bool) -> None:
    """Give measured times of at least three node counts on one input."""
    measured = [_run(one) | {"input": named} for one in runs]
    show(connect().reviewing.measure(application, measured, nodes), as_json=as_json)


@review.command("technical")
@click.argument("application")
@click.option("--pass/--refuse", "passed", required=True, help="What was found.")
@click.option("--motive", required=True, help="Why, in a sentence.")
@json_option
def technical(application: str, motive: str, *, passed: bool, as_json: bool) -> None:
    """Give the technical check of an eligible application."""
    show(connect().reviewing.technical(application, motive, passed=passed), as_json=as_json)


@review.command("assign")
@click.argument("application")
@click.argument("person")
@json_option
def assign(application: str, person: str, *, as_json: bool) -> None:
    """Ask an expert, by id or address; refused by rule where they have a stake."""
    show(connect().reviewing.assign(application, person), as_json=as_json)


@review.command("release")
@click.argument("application")
@click.argument("person")
@click.option("--motive", required=True, help="Why, in a sentence.")
@json_option
def release(application: str, person: str, motive: str, *, as_json: bool) -> None:
    """Take an assignment back from an expert, by id or address."""
    show(connect().reviewing.release(application, person, motive), as_json=as_json)


@review.command("assess")
@click.argument("application")
@click.option("--score", "scores", multiple=True, required=True, metavar="CRITERION=NUMBER", help="Repeat it.")
@click.option("--text", required=True, help="What you found.")
@click.option("--no-conflict", is_flag=True, help="You have no conflict of interest.")
@json_option
def assess(application: str, scores: tuple[str, ...], text: str, *, no_conflict: bool, as_json: bool) -> None:
    """Assess an application that you were asked about; it does not change afterwards."""
    given = dict(_score(one) for one in scores)
    show(connect().reviewing.assess(application, given, text, no_conflict=no_conflict), as_json=as_json)


@review.command("decline")
@click.argument("application")
@click.option("--reason", required=True, help="Why, in a sentence.")
@click.option("--conflict", is_flag=True, help="There is a conflict of interest.")
@json_option
def decline(application: str, reason: str, *, conflict: bool, as_json: bool) -> None:
    """Decline to assess an application."""
    show(connect().reviewing.decline(application, reason, conflict=conflict), as_json=as_json)


@review.command("rank")
@click.argument("call")
@json_option
def rank(call: str, *, as_json: bool) -> None:
    """What is before the committee for a call, best first."""
    table(connect().reviewing.ranking(call), ["application", "title", "total"], as_json=as_json)


@review.command("decide")
@click.argument("application")
@click.argument("verdict", metavar="award|refuse")
@click.option("--motive", required=True, help="Why; the applicant reads it.")
@click.option("--gpu-hours", type=int, help="Award less than was asked.")
@click.option("--share", default="", help="The share that pays; default: the one that fits best.")
@json_option
def decide(application: str, verdict: str, motive: str, gpu_hours: int | None, share: str, *, as_json: bool) -> None:
    """Decide on an application that all experts assessed."""
    show(connect().reviewing.decide(application, verdict, motive, gpu_hours=gpu_hours, share=share), as_json=as_json)


@review.command("sign")
@click.argument("application")
@json_option
def sign(application: str, *, as_json: bool) -> None:
    """Sign a decision as the second person."""
    show(connect().reviewing.sign(application), as_json=as_json)


@review.command("history")
@click.argument("application")
@click.option("--csv", "as_csv", is_flag=True, help="For a spreadsheet; no cell is a formula.")
@json_option
def history(application: str, *, as_csv: bool, as_json: bool) -> None:
    """Every step of a review that you may know of."""
    steps = connect().reviewing.history(application)
    if not as_csv:
        table(steps, ["at", "act", "by", "state", "words"], as_json=as_json)
        return
    sheet = csv.writer(sys.stdout, quoting=csv.QUOTE_ALL)
    sheet.writerow(["at", "act", "by", "state", "words"])
    for one in steps:
        cells = [one.at.isoformat(), one.act, one.by, one.state, clean(one.words)]
        sheet.writerow([shown_cell(cell) for cell in cells])


def _run(text: str) -> dict[str, float]:
    nodes, _, seconds = text.partition("=")
    try:
        return {"nodes": int(nodes), "seconds": float(seconds)}
    except ValueError:
        raise InvalidInput(f"--on {text!r} is not NODES=SECONDS", fix="--on 4=1800") from None


def _score(text: str) -> tuple[str, int]:
    name, _, score = text.partition("=")
    if not score.lstrip("-").isdigit():
        raise InvalidInput(f"--score {text!r} is not CRITERION=NUMBER", fix="--score impact=4")
    return name, int(score)
