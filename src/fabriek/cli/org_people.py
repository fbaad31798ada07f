"""`fabriek org`: inviting people, appointing them, and letting them go."""

import click

from fabriek.cli import org_keys  # noqa: F401  # adds its commands
from fabriek.cli.org import org
from fabriek.cli.output import json_option, say, show, table
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.joining import ReviewOut, SentOut

LISTED = ["id", "state", "address", "project", "role", "vouched", "stands", "expires_at"]


def tell(sent: SentOut, *, as_json: bool) -> None:
    """What became of an invitation: mailed, or the link to hand over."""
    if as_json:
        show(sent, as_json=True)
    elif sent.mailed:
        say(f"mailed to {sent.invitation.address}; it is for that address only, works once, within seven days")
    else:
        say(
            f"hand this over yourself ({sent.why}); it is for {sent.invitation.address} only, works once, within seven days:"
        )
        say(f"  who is not here yet  fabriek login --link {sent.link}")
        if sent.invitation.project:
            say(f"  who is here already  fabriek project accept {sent.link}")


def tell_review(review: ReviewOut, *, as_json: bool) -> None:
    """Who is on the list, and until when it can be decided."""
    if as_json:
        show(review, as_json=True)
        return
    table(review.items, ["name", "organisation", "role", "decision", "person"], as_json=False)
    say(
        f"{review.quarter}: "
        + ("decided" if review.closed_at else f"what nobody keeps by {review.due_on} stands still")
    )


@org.command("invite")
@click.argument("organisation")
@click.option("--email", required=True, help="The invitation is for this address only.")
@click.option("--name", default="", help="What they are called; they may say so themselves.")
@click.option("--role", "roles", multiple=True, help="reviewer, funder, expert, operator …; repeatable.")
@json_option
def invite(organisation: str, email: str, name: str, roles: tuple[str, ...], *, as_json: bool) -> None:
    """Invite a new person of an organisation; the first of all administers it."""
    tell(connect().joining.invite_to_organisation(organisation, email, name, roles), as_json=as_json)


@org.command("invitations")
@click.argument("organisation")
@json_option
def invitations(organisation: str, *, as_json: bool) -> None:
    """Invitations of people who would belong to an organisation."""
    table(connect().joining.invitations(organisation), LISTED, as_json=as_json)


@org.command("vouch")
@click.argument("invitation")
@json_option
def vouch(invitation: str, *, as_json: bool) -> None:
    """Stand for an INVITATION that others made: whom it is for may belong to your organisation."""
    show(connect().joining.vouch(invitation), as_json=as_json)


@org.command("withdraw")
@click.argument("invitation")
def withdraw(invitation: str) -> None:
    """Withdraw an INVITATION."""
    connect().joining.withdraw(invitation)
    say(f"{invitation} opens nothing any more")


@org.command("roles")
@json_option
def roles(*, as_json: bool) -> None:
    """Who holds a role everywhere."""
    table(connect().joining.roles(), ["name", "organisation", "roles", "person"], as_json=as_json)


@org.command("appoint")
@click.argument("person")
@click.option("--role", required=True, help="reviewer, funder, operator, security_officer, expert, auditor …")
@click.option("--take", is_flag=True, help="Take it away instead.")
@json_option
def appoint(person: str, role: str, *, take: bool, as_json: bool) -> None:
    """Give PERSON, an id or an address, a role everywhere; never yourself."""
    joining = connect().joining
    show(joining.take(person, role) if take else joining.appoint(person, role), as_json=as_json)


@org.command("leave")
@click.argument("person")
@click.option("--why", required=True, help="One line.")
@click.option("--successor", default="", help="Leads what would be left without a lead: an id or an address.")
@json_option
def leave(person: str, why: str, successor: str, *, as_json: bool) -> None:
    """PERSON, an id or an address, leaves: all that they have open ends at once; their jobs go on."""
    show(connect().joining.leave(person, why, successor), as_json=as_json)


@org.command("return")
@click.argument("person")
@json_option
def come_back(person: str, *, as_json: bool) -> None:
    """PERSON is back, and holds nothing until it is given."""
    show(connect().joining.come_back(person), as_json=as_json)


@org.command("leads")
@click.argument("project", default="")
@click.argument("person", default="")
@json_option
def leads(project: str, person: str, *, as_json: bool) -> None:
    """Projects without a lead; with PROJECT and PERSON, appoint one there."""
    joining = connect().joining
    if project:
        show(joining.appoint_lead(project, person), as_json=as_json)
    else:
        columns = ["slug", "title", "lead_organisation"]
        table(joining.without_lead(), columns, as_json=as_json, empty="every project has a lead")


@org.command("review")
@click.argument("person", default="")
@click.option("--role", default="", help="With PERSON: the role that it is about.")
@click.option("--remove", is_flag=True, help="Take it; otherwise it is kept.")
@json_option
def review_roles(person: str, role: str, *, remove: bool, as_json: bool) -> None:
    """Review the roles held everywhere, each quarter; with PERSON, an id, decide on one that is not yours."""
    joining = connect().joining
    found = joining.decide_role(person, role, keep=not remove) if person else joining.role_review()
    tell_review(found, as_json=as_json)


@org.command("prove")
@click.argument("organisation")
@click.option(
    "--kind",
    default="",
    help="kvk, in_registration, foreign_register, vat or declaration; without it, list what each asks.",
)
@click.option("--field", "fields", multiple=True, metavar="NAME=VALUE", help="A field of the kind; repeatable.")
@json_option
def prove(organisation: str, kind: str, fields: tuple[str, ...], *, as_json: bool) -> None:
    """Show that ORGANISATION is one: a KvK number, or what a new firm or one of abroad has instead. It replaces what was shown before."""
    joining = connect().joining
    if not kind:
        asked = [
            {"kind": one.name, "field": field.name, "example": field.example, "what": field.texts["en"]}
            for one in joining.proof_kinds() for field in one.fields
        ]  # fmt: skip
        table(asked, ["kind", "field", "example", "what"], as_json=as_json)
        return
    told = {}
    for one in fields:
        name, is_pair, value = one.partition("=")
        if not is_pair or name in told:
            raise InvalidInput(f"{one!r} is not a new name=value", fix="--field number=12345678")
        told[name] = value
    show(joining.prove(organisation, kind, told), as_json=as_json)


@org.command("proofs")
@click.option("--due", is_flag=True, required=True, help="Those whose day has passed.")
@json_option
def proofs(*, due: bool, as_json: bool) -> None:
    """Organisations that said that something better would follow, and for which its day has passed."""
    assert due
    table(
        connect().joining.due_proofs(), ["organisation", "kind", "due_on"], as_json=as_json, empty="nothing is overdue"
    )
