"""`fabriek funding policy`: the rules of money, and changing them together."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, say, table
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput

if TYPE_CHECKING:
    from fabriek.schemas.policy import AmountChangeOut, PolicyEffectOut, PolicyProposalOut

COLUMNS = ["funder", "part", "entitled", "jobs", "charged", "machine_hours", "mean_wait_seconds"]
ROWS = ["name", "says", "valid_from", "source"]


@click.group("policy", cls=Group)
def policy() -> None:
    """The rules of money: what is in force, and changing it with the signatures of who loses."""


@policy.command("show")
@click.option("--on", default="", metavar="DAY", help="As it will be, or was, on that day: 2027-01-01.")
@json_option
def show_policy(on: str, *, as_json: bool) -> None:
    """The rows in force: parts, how shares stand to each other, supply, rates, caps, purposes, carry-over."""
    found = connect().funding.policy.show(on)
    if as_json:
        print_json(found)
        return
    table(found.rows, ROWS, as_json=False)


@policy.command("propose")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--motive", required=True, help="Why; others decide by it.")
@json_option
def propose(file: Path, motive: str, *, as_json: bool) -> None:
    """Propose rows from a day to come, and see what they would have done to last quarter.

    \b
    [[part]]
    funder = "defence"
    part = 0.20
    valid_from = 2027-01-01
    source = "letter of 1 December 2026"

    Heads: part, share, borrowing, supply, rate, cap, rule, carry, meter, ladder. All rows of a file hold from the same day, which lies in the future.
    """  # noqa: D301  # the sign that click keeps lines by
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read ({type(error).__name__})", fix="name a TOML file") from None
    _shown(connect().funding.policy.propose(text, motive), as_json=as_json)


@policy.command("proposals")
@json_option
def proposals(*, as_json: bool) -> None:
    """Every proposal, newest first."""
    found = connect().funding.policy.proposals()
    table(found, ["id", "state", "starts_on", "organisation", "motive", "missing"], as_json=as_json, empty="none yet")


@policy.command("proposal")
@click.argument("proposal")
@json_option
def proposal_of(proposal: str, *, as_json: bool) -> None:
    """One proposal: its rows, its effect for each funder, and who signed."""
    _shown(connect().funding.policy.proposal(proposal), as_json=as_json)


@policy.command("sign")
@click.argument("proposal")
@click.option("--digest", default="", help="Sign only if it is still the one with this digest.")
@json_option
def sign(proposal: str, digest: str, *, as_json: bool) -> None:
    """Sign for your organisation; with the last signature it is agreed on."""
    changing = connect().funding.policy
    _shown(changing.sign(proposal, digest or changing.proposal(proposal).digest), as_json=as_json)


@policy.command("refuse")
@click.argument("proposal")
@click.option("--why", required=True, help="What the others are told.")
@json_option
def refuse(proposal: str, why: str, *, as_json: bool) -> None:
    """Refuse it, as a funder who loses by it."""
    _shown(connect().funding.policy.refuse(proposal, why), as_json=as_json)


@policy.command("withdraw")
@click.argument("proposal")
@click.option("--why", default="", help="What the others are told.")
@json_option
def withdraw(proposal: str, why: str, *, as_json: bool) -> None:
    """Take back what your organisation proposed."""
    _shown(connect().funding.policy.withdraw(proposal, why), as_json=as_json)


def _shown(one: "PolicyProposalOut", *, as_json: bool) -> None:
    if as_json:
        print_json(one)
        return
    say(f"{one.id}  {one.state.replace('_', ' ')}  from {one.starts_on}  proposed by {one.proposed_by_name} of {one.organisation}")  # fmt: skip
    say(f"why: {one.motive}")
    if one.words:
        say(f"{one.ended_by}: {one.words}")
    table(one.rows, ROWS, as_json=False)
    say("")
    say(f"{one.quarter} as it would have been, {one.jobs} of {one.jobs_of} jobs replayed:")
    table([_effect(found) for found in one.effects], COLUMNS, as_json=False)
    for found in one.effects:
        for why in found.losses:
            say(f"{found.funder} signs: {why}")
    say("")
    for signed in one.signed:
        say(f"signed for {signed.funder} by {signed.name}")
    if one.stale:
        say("the policy, or what funders give, changed since: nobody can sign this; withdraw it and propose it anew")
    elif one.state == "proposed":
        say(f"wanted until {one.lapses_on}: {', '.join(one.missing)}  (fabriek funding policy sign {one.id})")
    say(f"digest {one.digest}")


def _effect(found: "PolicyEffectOut") -> dict[str, str]:
    """A funder's row of the table: what it was, an arrow, what it becomes."""
    return {
        "funder": found.funder,
        "part": f"{found.part_before / 10_000:g} % → {found.part_after / 10_000:g} %",
        "entitled": _amounts(found.entitled),
        "jobs": _change(found.jobs_before, found.jobs_after),
        "charged": _amounts(found.charged),
        "machine_hours": _change(found.used_before, found.used_after),
        "mean_wait_seconds": _change(found.wait_seconds_before, found.wait_seconds_after),
    }


def _amounts(changes: "Sequence[AmountChangeOut]") -> str:
    return "; ".join(f"{one.before} → {one.after} {one.resource}" for one in changes)


def _change(before: float | None, after: float | None) -> str:
    return "" if before is None or after is None else f"{before:.4g} → {after:.4g}"
