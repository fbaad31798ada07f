"""`fabriek apply guide`: which call fits, by a few questions."""

import sys
from typing import TYPE_CHECKING

import click

from fabriek.cli.apply import apply
from fabriek.cli.output import json_option, print_json, say
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput

if TYPE_CHECKING:
    from fabriek.schemas.guide import GuideOut, QuestionOut

__all__ = ["apply"]

WORDS = {"en": ("Your choice", "Next"), "nl": ("Uw keuze", "Hierna")}


@apply.command("guide")
@click.option(
    "--answer", "given", multiple=True, metavar="NAME=VALUE", help="One answer; repeatable. The rest is asked."
)
@click.option("--lang", type=click.Choice(["en", "nl"]), default="en", help="The language of questions and reasons.")
@json_option
def guide(given: tuple[str, ...], lang: str, *, as_json: bool) -> None:
    """Which call fits: at most eight questions, then one route, its reason, and the next command.

    In a terminal it asks; a script gives --answer for each question, and --json shows which one comes next. It needs no account.
    """
    answers = dict(_answer(one) for one in given)
    factory = connect().guide
    found = factory.ask(answers, lang=lang)
    while found.question is not None and not as_json:
        answers[found.question.name] = _asked(found.question, lang)
        found = factory.ask(answers, lang=lang)
    if as_json:
        print_json(found)
    else:
        _show(found, lang)


def _answer(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(f"--answer {text!r} has no value", fix=f"--answer {text}=VALUE")
    return name, value


def _asked(question: "QuestionOut", lang: str) -> str:
    """What the person chose. Raises InvalidInput where nobody can be asked, naming the answers."""
    names = [one.name for one in question.choices]
    if not sys.stdin.isatty():
        raise InvalidInput(
            f"{question.name} is not answered: {question.text}", fix=f"--answer {question.name}={'|'.join(names)}"
        )
    say(f"\n{question.text}")
    if question.hint:
        say(question.hint)
    for number, one in enumerate(question.choices, 1):
        say(f"  {number}. {one.label}")
    said = click.prompt(WORDS[lang][0], type=click.IntRange(1, len(names)))
    return names[said - 1]


def _show(found: "GuideOut", lang: str) -> None:
    assert found.route is not None
    say(f"\n{found.route.title}")
    say(found.route.reason)
    for one in found.route.remarks:
        say(f"- {one}")
    say(f"\n{WORDS[lang][1]}: {found.route.next_step}\n")
    say(f"    {found.route.command}")
