"""`fabriek project`: inviting people into it, and accepting."""

import click

from fabriek.cli.org_people import LISTED, tell, tell_review
from fabriek.cli.output import json_option, project_option, say, show, table
from fabriek.cli.project import project
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput


@project.command("invite")
@click.argument("address")
@click.option("--role", default="member", help="member or lead.")
@click.option("--organisation", default="", help="Where they will belong if they are not here yet; default: yours.")
@click.option("--name", default="", help="What they are called; they may say so themselves.")
@project_option
@json_option
def invite(address: str, role: str, organisation: str, name: str, project: str, *, as_json: bool) -> None:
    """Invite ADDRESS into the project: of whatever organisation, here already or not."""
    sent = connect(project).joining.invite_to_project(address, role, organisation=organisation, name=name)
    tell(sent, as_json=as_json)


@project.command("invitations")
@click.option("--mine", is_flag=True, help="When one was sent to your address; open its link there.")
@project_option
@json_option
def invitations(project: str, *, mine: bool, as_json: bool) -> None:
    """Invitations into the project, newest first."""
    joining = connect(project).joining
    if mine:
        table(
            joining.my_invitations(),
            ("made_at", "expires_at"),
            as_json=as_json,
            empty="no invitation to your address is open",
        )
        return
    table(joining.invitations(), LISTED, as_json=as_json)


@project.command("accept")
@click.argument("invitation")
@json_option
def accept(invitation: str, *, as_json: bool) -> None:
    """Accept an INVITATION by its link, which was sent to your address."""
    show(connect().joining.accept(invitation), as_json=as_json)


@project.command("vouch")
@click.argument("invitation")
@json_option
def vouch(invitation: str, *, as_json: bool) -> None:
    """Stand for an INVITATION whose maker no longer can."""
    show(connect().joining.vouch(invitation), as_json=as_json)


@project.command("withdraw")
@click.argument("invitation")
def withdraw(invitation: str) -> None:
    """Withdraw an INVITATION."""
    connect().joining.withdraw(invitation)
    say(f"{invitation} opens nothing any more")


@project.command("review")
@click.option("--keep", multiple=True, metavar="PERSON", help="Still needed, or back after standing still; repeatable.")
@click.option("--remove", multiple=True, metavar="PERSON", help="Not needed any more; repeatable.")
@click.option("--keep-rest", is_flag=True, help="Keep all others that wait.")
@project_option
@json_option
def review(keep: tuple[str, ...], remove: tuple[str, ...], project: str, *, keep_rest: bool, as_json: bool) -> None:
    """Review who has access, each quarter; without options, show the list."""
    joining = connect(project).joining
    kept = list(keep)
    if keep_rest:
        waits = [one.person for one in joining.review().items if one.decision == "waiting"]
        kept += [one for one in waits if one not in {*keep, *remove}]
    tell_review(joining.decide(kept, remove) if kept or remove else joining.review(), as_json=as_json)


@project.command("set")
@click.option("--title", default="", help="Another title.")
@click.option(
    "--data-contact", default="", metavar="PERSON", help="A member who answers for the data: an id or an address."
)
@project_option
@json_option
def set_project(title: str, data_contact: str, project: str, *, as_json: bool) -> None:
    """Change the project's title or its contact for data, as its lead."""
    show(connect(project).joining.set_project(title, data_contact), as_json=as_json)


@project.command("propose")
@click.option("--purpose", default="", help="civilian, dual_use or exclusively_military.")
@click.option("--ceiling", default="", help="The highest label that its data may have.")
@click.option("--why", required=True, help="What the second person judges by.")
@project_option
@json_option
def propose(purpose: str, ceiling: str, why: str, project: str, *, as_json: bool) -> None:
    """Propose another purpose or ceiling; an operator signs it, and the new one replaces what waits."""
    if bool(purpose) == bool(ceiling):
        raise InvalidInput("propose one thing at a time", fix="--purpose WORD, or --ceiling LABEL")
    what = ("purpose", purpose) if purpose else ("ceiling", ceiling)
    show(connect(project).joining.propose(*what, why), as_json=as_json)


@project.command("sign")
@click.argument("proposal", default="")
@click.option("--refuse", is_flag=True, help="Refuse it instead.")
@json_option
def sign(proposal: str, *, refuse: bool, as_json: bool) -> None:
    """Sign a PROPOSAL that somebody else made, as an operator; without one, list what waits."""
    joining = connect().joining
    if proposal:
        show(joining.sign(proposal, agree=not refuse), as_json=as_json)
    else:
        table(joining.proposals(), ["id", "project", "what", "value", "why"], as_json=as_json, empty="nothing waits")
