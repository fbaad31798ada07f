"""Models over HTTP, in our own words: what one can answer for of each version, who promotes it, and its passport."""

from collections.abc import Iterable

from starlette.responses import Response

from fabriek.api.vault import names_of
from fabriek.lab.registry.cards import Card, read_licence
from fabriek.lab.registry.facts import Brief, ModelFacts
from fabriek.lab.registry.promotion import Promotion, Rule
from fabriek.lab.registry.signatures import Column, Signature
from fabriek.schemas.base import DoneOut, PageOut
from fabriek.schemas.models import (
    LATEST,
    BaseModelReadOut,
    CheckOut,
    ModelBriefOut,
    ModelCardIn,
    ModelCardOut,
    ModelColumnOut,
    ModelFileOut,
    ModelInputOut,
    ModelLicenceIn,
    ModelOut,
    ModelSignatureOut,
    PromotionIn,
    PromotionOut,
    PromotionRuleIn,
    PromotionRuleOut,
    WordsIn,
)
from fabriek.schemas.passport import PassportKeyOut
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import PUBLIC, SIGNED_IN, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["lab"])

VERSION = "/projects/{project}/models/{registered}/versions/{which}"
"""`which`: a number, an alias, or `latest`."""


def said(which: str) -> str:
    return "" if which == LATEST else which


def brief_out(brief: Brief) -> ModelBriefOut:
    version = brief.version
    return ModelBriefOut(
        name=version.name, version=version.number, points=dict(sorted(brief.points.items())),
        aliases=list(brief.aliases), label=version.label, mark=str(brief.mark),
        licence=str(brief.licence or ""), run=version.run, sha256=version.sha256, created_at=version.created_at,
    )  # fmt: skip


def model_out(facts: ModelFacts, promotions: Iterable[Promotion], services: Services) -> ModelOut:
    version = facts.version
    return ModelOut(
        name=version.name, version=version.number, aliases=list(facts.aliases), label=version.label, mark=str(facts.mark),
        licence=licence_of(facts.card), intact=facts.is_intact, run=version.run, job=facts.job, sha256=version.sha256,
        created_at=version.created_at, registered_by_names=sorted(names_of(facts.authors, services)[one] for one in facts.authors),
        withheld=facts.withheld, metrics={one.key: one.value if abs(one.value) < float("inf") else None for one in facts.metrics},
        inputs=[
            ModelInputOut(name=one.name, version=one.number, version_id=one.version, label=one.label, content_hash=one.content_hash)
            for one in facts.inputs
        ],
        base_models=[
            BaseModelReadOut(name=one.name, commit=one.commit, sha256=one.sha256, licence=one.licence, label=one.label)
            for one in facts.base_models
        ],
        signature=_signature(facts.signature) if facts.signature else None,
        files=[
            ModelFileOut(
                path=one.path, bytes=one.size, sha256=one.sha256, format=one.format.name, mark=str(one.format.mark), why=one.format.why
            )
            for one in facts.files
        ],
        promotions=promotions_out(promotions, services),
    )  # fmt: skip


def card_out(card: Card, services: Services) -> ModelCardOut:
    licence = card.licence
    return ModelCardOut(
        text=card.text, licence=licence_of(card), licence_link=licence.link if licence else "", trouble=card.trouble,
        written_by=names_of([card.written_by], services)[card.written_by], written_at=card.written_at,
    )  # fmt: skip


def promotions_out(promotions: Iterable[Promotion], services: Services) -> list[PromotionOut]:
    listed = list(promotions)
    names = names_of((person for one in listed for person in (one.proposed_by, one.decided_by)), services)
    return [
        PromotionOut(
            id=one.id, model=one.model, version=one.number, alias=one.alias, outcome=str(one.outcome), reason=one.reason,
            proposed_by=one.proposed_by, proposed_by_name=names[one.proposed_by], proposed_at=one.proposed_at, decided_by=one.decided_by,
            decided_by_name=names[one.decided_by], decided_at=one.decided_at, words=one.words,
            checks=[CheckOut(asked=each.asked, found=each.found, passed=each.passed) for each in one.checks],
        )
        for one in listed
    ]  # fmt: skip


def rule_out(rule: Rule, services: Services) -> PromotionRuleOut:
    return PromotionRuleOut(
        alias=rule.alias, metrics=[str(one) for one in rule.limits], jobs=list(rule.jobs), second_person=rule.second_person,
        allows_code=rule.allows_code, asks=rule.sentence, set_by_name=names_of([rule.set_by], services)[rule.set_by], set_at=rule.set_at,
    )  # fmt: skip


def licence_of(card: Card | None) -> str:
    return str(card.licence) if card and card.licence else ""


def _signature(signature: Signature) -> ModelSignatureOut:
    def columns(listed: Iterable[Column]) -> list[ModelColumnOut]:
        return [ModelColumnOut(name=one.name, kind=one.kind, required=one.is_required) for one in listed]

    return ModelSignatureOut(
        inputs=columns(signature.inputs), outputs=columns(signature.outputs), params=columns(signature.params)
    )


@router.get("/projects/{project}/models/newest", access=Right("lab.view"))
def list_newest_models(project: str, caller: CallerDep, factory: FactoryDep) -> PageOut[ModelBriefOut]:
    """The newest version of each model, with its licence and how safe its files are."""
    home = factory.access.project(project).id
    return PageOut[ModelBriefOut](items=[brief_out(one) for one in factory.facts.briefs(home, by=caller)])


@router.get(VERSION, access=Right("lab.view"))
def show_model(project: str, registered: str, which: str, caller: CallerDep, factory: FactoryDep) -> ModelOut:
    """All that is known of a version."""
    home = factory.access.project(project).id
    facts = factory.facts.of(home, registered, said(which), by=caller)
    promotions = factory.promoting.of_model(home, facts.version.name, by=caller)
    return model_out(facts, [one for one in promotions if one.number == facts.version.number], factory)


@router.get(VERSION + "/card", access=Right("lab.view"))
def show_model_card(project: str, registered: str, which: str, caller: CallerDep, factory: FactoryDep) -> ModelCardOut:
    """Its card: as somebody wrote it here, else as it lies among its files."""
    return card_out(factory.facts.card(factory.access.project(project).id, registered, said(which), by=caller), factory)


@router.put(VERSION + "/card", access=Right("lab.write"))
def write_model_card(
    project: str, registered: str, which: str, wanted: ModelCardIn, caller: CallerDep, factory: FactoryDep
) -> ModelCardOut:
    """Write its card: Markdown, with YAML front matter as on the Hugging Face Hub."""
    home = factory.access.project(project).id
    return card_out(factory.facts.write_card(home, registered, said(which), wanted.text, by=caller), factory)


@router.put(VERSION + "/licence", access=Right("lab.write"))
def write_model_licence(
    project: str, registered: str, which: str, wanted: ModelLicenceIn, caller: CallerDep, factory: FactoryDep
) -> ModelCardOut:
    """Say its licence, in the front matter of its card; all else of the card stays."""
    home, licence = factory.access.project(project).id, read_licence(wanted.licence, name=wanted.name, link=wanted.link)
    return card_out(factory.facts.write_licence(home, registered, said(which), licence, by=caller), factory)


@router.get(VERSION + "/passport", access=Right("lab.view"), response_class=Response)
def issue_passport(project: str, registered: str, which: str, caller: CallerDep, factory: FactoryDep) -> Response:
    """Its passport: one HTML page with the signed statement inside. That it was issued is recorded."""
    return passport_response(*factory.passports.issue(project, registered, said(which), by=caller))


def passport_response(file: str, page: str) -> Response:
    """As a file, which is what it is for; and our pages allow no style of its own."""
    headers = {"Content-Disposition": f'attachment; filename="{file}"'}
    return Response(page.encode(), media_type="text/html; charset=utf-8", headers=headers)


@router.get("/passport-key", access=PUBLIC)
def passport_key(factory: FactoryDep) -> PassportKeyOut:
    """What passports of this installation are verified with."""
    return PassportKeyOut(installation=factory.passports.installation, key=factory.passports.key())


@router.post(VERSION + "/promotions", access=Right("lab.write"), status_code=201, once=False)
def propose_promotion(
    project: str, registered: str, which: str, wanted: PromotionIn, caller: CallerDep, factory: FactoryDep
) -> PromotionOut:
    """Propose this version for an alias that has a rule. A second person agrees, where the rule asks for one."""
    home = factory.access.project(project).id
    made = factory.promoting.propose(home, registered, said(which), wanted.alias, wanted.reason, by=caller)
    return promotions_out([made], factory)[0]


@router.get("/projects/{project}/promotions", access=Right("lab.view"))
def list_promotions(project: str, caller: CallerDep, factory: FactoryDep, model: str = "") -> PageOut[PromotionOut]:
    """Newest first; of one model where it is named."""
    found = factory.promoting.of_model(factory.access.project(project).id, model, by=caller)
    return PageOut[PromotionOut](items=promotions_out(found, factory))


@router.post("/promotions/{promotion}/agree", access=SIGNED_IN, once=False)
def agree_to_promotion(promotion: str, caller: CallerDep, factory: FactoryDep) -> PromotionOut:
    """Agree, as the second person: the alias goes to the version, if all that the rule asks for holds today."""
    return promotions_out([factory.promoting.agree(promotion, by=caller)], factory)[0]


@router.post("/promotions/{promotion}/refuse", access=SIGNED_IN)
def refuse_promotion(promotion: str, wanted: WordsIn, caller: CallerDep, factory: FactoryDep) -> PromotionOut:
    """Refuse, or take one's own back."""
    return promotions_out([factory.promoting.refuse(promotion, wanted.reason, by=caller)], factory)[0]


@router.get("/projects/{project}/promotion-rules", access=Right("lab.view"))
def list_promotion_rules(project: str, caller: CallerDep, factory: FactoryDep) -> PageOut[PromotionRuleOut]:
    """What the project's aliases need."""
    found = factory.promoting.rules(factory.access.project(project).id, by=caller)
    return PageOut[PromotionRuleOut](items=[rule_out(one, factory) for one in found])


@router.put("/projects/{project}/promotion-rules/{alias}", access=Right("project.manage"))
def set_promotion_rule(
    project: str, alias: str, wanted: PromotionRuleIn, caller: CallerDep, factory: FactoryDep
) -> PromotionRuleOut:
    """Say what an alias needs from now on."""
    made = factory.promoting.set_rule(
        factory.access.project(project).id, alias, limits=wanted.metrics, jobs=wanted.jobs, second_person=wanted.second_person,
        allows_code=wanted.allows_code, by=caller,
    )  # fmt: skip
    return rule_out(made, factory)


@router.delete("/projects/{project}/promotion-rules/{alias}", access=Right("project.manage"))
def remove_promotion_rule(project: str, alias: str, caller: CallerDep, factory: FactoryDep) -> DoneOut:
    """Take the rule away: from now on whoever may write moves the alias."""
    factory.promoting.remove_rule(factory.access.project(project).id, alias, by=caller)
    return DoneOut()
