"""`fabriek services`: what the factory offers, for whom, at what price and how soon."""

import click

from fabriek.cli.output import json_option, print_json, say
from fabriek.cli.session import connect

ASKERS = ("startup", "sme", "company", "hospital", "university", "public", "elsewhere")
ANSWER = {"en": "answer within {days} working days, by {by}", "nl": "antwoord binnen {days} werkdagen, uiterlijk {by}"}


@click.command("services")
@click.option("--who", type=click.Choice(ASKERS), default="sme", show_default=True, help="On whose terms.")
@click.option("--lang", type=click.Choice(["en", "nl"]), default="en", help="The language of the texts.")
@json_option
def services(who: str, lang: str, *, as_json: bool) -> None:
    """What the factory offers to you, before any form. It needs no account."""
    found = connect().catalogue.services(who, lang=lang)
    if as_json:
        print_json(found)
        return
    for one in found.items:
        say(f"{one.title}: {one.says}")
        if one.eligible:
            say(f"  {one.price} ({ANSWER[lang].format(days=one.working_days, by=one.answer_by)})")
            say(f"  {one.command}")
        else:
            say(f"  {one.instead}")
