"""`fabriek login` and `fabriek whoami`."""

from typing import TYPE_CHECKING

import click

from fabriek.cli.output import json_option, say, show
from fabriek.cli.session import connect
from fabriek.kernel.clock import SystemClock
from fabriek.kernel.errors import InvalidInput

if TYPE_CHECKING:
    from fabriek.sdk import Fabriek


@click.command()
@click.option("--url", default="", help="Where the factory is; default: the one you know.")
@click.option("--link", default="", help="The one-time link or invitation that you were sent.")
@click.option("--token", default="", help="A token that you have already.")
@click.option("--bootstrap", default="", help="The secret that `fabriek up` printed: the first sign-in of all.")
@click.option("--name", default="", help="With --bootstrap or an invitation: your name.")
@click.option("--email", default="", help="With --bootstrap: your address.")
@click.option("--organisation", default="", help="With --bootstrap: your organisation's name.")
@click.option("--project", default="", help="The project to work in.")
@click.option("--provider", default="", help="The identity provider to sign in at, by its name at this factory.")
@click.option("--portal", is_flag=True, help="Print a link that opens the portal, signed in, once.")
@click.option("--confirm", is_flag=True, help="Show again that it is you, for acts that ask for it.")
@click.option("--code", default="", help="With --confirm: the code that your app shows, or a recovery code.")
def login(
    url: str,
    link: str,
    token: str,
    bootstrap: str,
    name: str,
    email: str,
    organisation: str,
    project: str,
    provider: str,
    code: str,
    *,
    portal: bool,
    confirm: bool,
) -> None:
    """Sign in to a factory and remember it.

    Without options: shows an address and a code, and waits until you entered it in a browser.
    """
    from fabriek.sdk import Context, Fabriek, read_context  # noqa: PLC0415  # help should not pay for it
    from fabriek.sdk.environment import save_context  # noqa: PLC0415

    if confirm:
        _confirm(code)
        return
    if portal:
        say(connect().access.sign_in_link())
        return
    place = url or _place_of(link) or read_context().url
    factory = Fabriek(place)
    if bootstrap:
        if not (name and email and organisation):
            raise InvalidInput(
                "the first sign-in needs to know who you are", fix="add --name, --email and --organisation"
            )
        body = {"name": organisation, "kind": "operator"}
        token = factory.access.bootstrap(bootstrap, organisation=body, name=name, email=email).token
    elif link:
        joins = "/invitations/" in link
        token = factory.joining.join(link, name).token if joins else factory.access.sign_in(link).token
    elif not token:
        token = _let_in(factory, provider)
    signed = Fabriek(place, token)
    me = signed.access.whoami()
    save_context(Context(place.rstrip("/"), token, project or next(iter(me.projects), "")))
    say(f"signed in at {place} as {me.name} of {me.organisation}")


def _let_in(factory: "Fabriek", provider: str) -> str:
    """The token of a device that a person let in. Raises what the server says once it is too late, or somebody said no."""
    begun = factory.access.begin_device(provider)
    say(f"open   {begun.address}")
    say(f"enter  {begun.code}")
    if begun.whole:
        say(f"or     {begun.whole}")
    clock, interval = SystemClock(), begun.interval_seconds
    while True:
        clock.sleep(interval)
        polled = factory.access.poll_device(begun.device)
        if polled.token:
            return polled.token
        interval = polled.interval_seconds


def _confirm(code: str) -> None:
    """The code comes from the terminal where none was given: it counts once, so that its place in a history says nothing."""
    access = connect().access
    access.confirm(code or str(click.prompt("The code that your app shows")))
    say("confirmed: acts that ask for it are open for a quarter of an hour")


def _place_of(link: str) -> str:
    """The factory that a link leads to; empty where it is a bare code."""
    for part in ("/sign-in/", "/invitations/"):
        if part in link:
            return link.partition(part)[0]
    return ""


@click.command()
@json_option
def whoami(*, as_json: bool) -> None:
    """Who you are here and which rights you hold."""
    show(connect().access.whoami(), as_json=as_json)
