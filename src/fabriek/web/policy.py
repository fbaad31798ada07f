"""The policy and its proposals as both edges show them, with names in place of ids."""

from collections.abc import Iterable, Mapping
from datetime import date

from fabriek.funding.policy.effects import Change, ShareEffect
from fabriek.funding.policy.policy import policy_of
from fabriek.funding.policy.proposals import Proposal
from fabriek.funding.policy.rows import Row, all_rows, name_of, said
from fabriek.kernel.callers import Caller
from fabriek.kernel.units import shown
from fabriek.schemas.policy import AmountChangeOut, PolicyEffectOut, PolicyProposalOut, PolicyRowOut, PolicySignatureOut
from fabriek.web.services import Services


def row_out(row: Row) -> PolicyRowOut:
    return PolicyRowOut(name=name_of(row), says=said(row), valid_from=row.valid_from, source=row.source)


def rows_out(services: Services, on: date | None = None, *, by: Caller) -> list[PolicyRowOut]:
    """Those in force on that day. One of a share that is not there says that it counts for nothing."""
    rows, idle = services.changing.rows(on, by=by), services.giving.tree(on).idle
    found = [row_out(row) for row in rows.values()]
    nobody = {f"share {name}" for name in idle}
    return [
        one.model_copy(update={"says": f"{one.says}: counts for nothing, since no share has this name"}) if one.name in nobody else one
        for one in found
    ]  # fmt: skip


def proposal_out(one: Proposal, services: Services) -> PolicyProposalOut:
    people = services.access.people_among({
        person for person in (one.proposed_by, one.ended_by, *(signed.person for signed in one.signatures)) if person
    })  # fmt: skip
    names = {"": ""} | {person: found.name for person, found in people.items()}
    bodies = {share.funder for share in one.effect.shares} | {one.organisation}
    slugs = {body: services.access.organisation(body).slug for body in bodies}
    shares = {share.id: share.name for share in services.funding.shares()}
    return PolicyProposalOut(
        id=one.id, state=services.changing.state(one), starts_on=one.starts_on, lapses_on=one.lapses_on, motive=one.motive,
        proposed_by=one.proposed_by, proposed_by_name=names[one.proposed_by], organisation=slugs[one.organisation],
        proposed_at=one.proposed_at, rows=[row_out(row) for row in all_rows(policy_of(one.toml))], toml=one.toml,
        quarter=one.effect.quarter, jobs=one.effect.jobs, jobs_of=one.effect.jobs_of,
        effects=[_effect_out(effect, slugs, shares) for effect in one.effect.shares],
        signed=[
            PolicySignatureOut(funder=slugs[signed.organisation], person=signed.person, name=names[signed.person], at=signed.at)
            for signed in one.signatures
        ],
        missing=sorted(slugs[body] for body in one.missing), digest=one.digest,
        stale=services.changing.is_stale(one), ended_by=names[one.ended_by], words=one.words,
    )  # fmt: skip


def _effect_out(one: ShareEffect, slugs: Mapping[str, str], shares: Mapping[str, str]) -> PolicyEffectOut:
    again = one.replayed
    return PolicyEffectOut(
        funder=slugs[one.funder], share=shares[one.share], part_before=one.part_before, part_after=one.part_after,
        entitled=_changes(one.entitled), charged=_changes(again.charged if again else ()),
        jobs_before=again.jobs_before if again else None, jobs_after=again.jobs_after if again else None,
        used_before=again.used_before if again else None, used_after=again.used_after if again else None,
        wait_seconds_before=again.wait_seconds_before if again else None, wait_seconds_after=again.wait_seconds_after if again else None,
        losses=list(one.losses),
    )  # fmt: skip


def _changes(found: Iterable[Change]) -> list[AmountChangeOut]:
    return [AmountChangeOut(resource=one.resource, before=shown(one.before), after=shown(one.after)) for one in found]
