"""Reviews over HTTP. Who may see or do what, the services say: an expert has no right but to what they were asked about."""

from fastapi import Response

from fabriek.access.reviewing.cases import Question
from fabriek.access.reviewing.desk import View
from fabriek.access.reviewing.docket import Part
from fabriek.access.reviewing.history import as_csv
from fabriek.access.reviewing.telling import sentence
from fabriek.access.reviewing.words import MEANS
from fabriek.schemas.access import CheckOut
from fabriek.schemas.base import PageOut
from fabriek.schemas.reviewing import (
    AskedOut,
    AssessmentIn,
    AssessmentOut,
    CriterionOut,
    DecisionIn,
    DecisionOut,
    DeclinedOut,
    DeclineIn,
    ExpertIn,
    MeasurementsIn,
    QuestionIn,
    QuestionOut,
    RankedOut,
    ReleaseIn,
    ReviewOut,
    ScalingLineOut,
    StepOut,
    TechnicalIn,
    ToldOut,
    WordsIn,
)
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["reviews"])
ONE = "/reviews/{application}"
REVIEW, AWARD = Right("application.review"), Right("funding.award")


def review_out(view: View, services: Services, person: str) -> ReviewOut:
    one, decision = view.application, view.decision
    means, then = MEANS[one.state]
    form = services.reviewing.panel.form()
    return ReviewOut(
        application=one.id, call=one.call, title=str(one.answers.get("title", "")), state=one.state, means=means, next=then, part=view.part,
        due_at=view.due_at, percent=view.percent, paused=view.case.clock.is_paused, round_at=view.case.round_at,
        queue=services.intake.position(one), answers=dict(one.answers), flags=list(view.flags),
        checks=[CheckOut(name=each.name, passed=each.passed, found=each.found) for each in one.checks],
        questions=[
            _question_out(each) for each in view.questions
        ],
        objection_until=view.case.objection_until,
        experts=[AskedOut(person=one_id, expert=name, due_at=until) for one_id, name, until in view.asked_experts],
        assessments=[
            AssessmentOut(
                expert=view.names[each.person], mine=each.person == person, due_at=each.due_at, submitted_at=each.submitted_at,
                declined=each.declined_at is not None, scores=dict(each.scores), total=each.total, text=each.text,
            )
            for each in view.assessments
        ],
        criteria=[
            CriterionOut(name=each.name, weight=each.weight, help=each.help, score_max=form.score_max) for each in form.criteria
        ] if view.part is Part.EXPERT else [],
        decision=DecisionOut(
            verdict=decision.verdict, motive=decision.motive, gpu_hours=decision.gpu_hours, decided_at=decision.decided_at,
            stands=decision.stands, objection_until=decision.objection_until,
        ) if decision else None,
        scaling=[
            ScalingLineOut(
                nodes=line.nodes, seconds=line.seconds, speed_up=line.speed_up, efficiency=line.efficiency, efficient=line.efficient
            )
            for line in (view.scaling.lines if view.scaling else ())
        ],
    )  # fmt: skip


def _shown(application: str, caller: CallerDep, factory: FactoryDep) -> ReviewOut:
    return review_out(factory.reviewing.desk.view(application, by=caller), factory, caller.person)


def _question_out(one: Question) -> QuestionOut:
    return QuestionOut(
        text=one.text, fields=sorted(one.fields), asked_at=one.asked_at, answer=one.answer, answered_at=one.answered_at
    )


@router.get("/reviews", access=SIGNED_IN)
def list_reviews(caller: CallerDep, factory: FactoryDep) -> PageOut[ReviewOut]:
    """What waits for you, the most urgent first."""
    views = factory.reviewing.desk.waiting(by=caller)
    return PageOut[ReviewOut](items=[review_out(one, factory, caller.person) for one in views])


@router.get("/review-notices", access=SIGNED_IN)
def list_notices(caller: CallerDep, factory: FactoryDep) -> PageOut[ToldOut]:
    """What you were told: alarms of clocks, questions, decisions."""
    told = factory.reviewing.told(by=caller)
    return PageOut[ToldOut](
        items=[
            ToldOut(application=one.application, what=one.what, says=sentence(one), made_at=one.made_at) for one in told
        ]
    )


@router.get("/rankings", access=AWARD)
def ranking(call: str, caller: CallerDep, factory: FactoryDep) -> PageOut[RankedOut]:
    """What is before the committee, best first."""
    ranked = factory.reviewing.committee.ranking(call, by=caller)
    return PageOut[RankedOut](
        items=[
            RankedOut(application=one.id, title=str(one.answers.get("title", "")), total=total) for one, total in ranked
        ]
    )


@router.get(ONE, access=SIGNED_IN)
def show_review(application: str, caller: CallerDep, factory: FactoryDep) -> ReviewOut:
    """One application on its way, for its applicants, its experts and who judges."""
    return _shown(application, caller, factory)


@router.get(ONE + "/history", access=SIGNED_IN)
def history(application: str, caller: CallerDep, factory: FactoryDep) -> PageOut[StepOut]:
    """Every step that you may know of."""
    rows = factory.reviewing.desk.history(application, by=caller)
    return PageOut[StepOut](items=[StepOut.model_validate(dict(one)) for one in rows])


@router.get(ONE + "/history.csv", access=SIGNED_IN)
def history_csv(application: str, caller: CallerDep, factory: FactoryDep) -> Response:
    """The same for a spreadsheet; no cell is a formula."""
    rows = factory.reviewing.desk.history(application, by=caller)
    named = {"Content-Disposition": 'attachment; filename="history.csv"'}
    return Response(as_csv(rows), media_type="text/csv; charset=utf-8", headers=named)


@router.post(ONE + "/take", access=REVIEW)
def take(application: str, caller: CallerDep, factory: FactoryDep) -> ReviewOut:
    """See to it: its alarms come to you."""
    factory.reviewing.desk.take(application, by=caller)
    return _shown(application, caller, factory)


@router.post(ONE + "/question", access=REVIEW)
def ask(application: str, asked: QuestionIn, caller: CallerDep, factory: FactoryDep) -> ReviewOut:
    """Ask the applicant; the clock stands still, and the answers that are named may be changed."""
    factory.reviewing.desk.ask(application, asked.words, fields=asked.fields, by=caller)
    return _shown(application, caller, factory)


@router.post(ONE + "/answer", access=SIGNED_IN)
def answer(application: str, asked: WordsIn, caller: CallerDep, factory: FactoryDep) -> ReviewOut:
    """Answer what was asked; the clock goes on."""
    factory.reviewing.desk.answer(application, asked.words, by=caller)
    return _shown(application, caller, factory)


@router.post(ONE + "/withdraw", access=SIGNED_IN)
def withdraw(application: str, caller: CallerDep, factory: FactoryDep) -> ReviewOut:
    """Take an application back."""
    factory.reviewing.desk.withdraw(application, by=caller)
    return _shown(application, caller, factory)


@router.post(ONE + "/overrule", access=REVIEW)
def overrule(application: str, asked: WordsIn, caller: CallerDep, factory: FactoryDep) -> ReviewOut:
    """Make eligible what the automatic check refused, with a motive."""
    factory.reviewing.desk.overrule(application, asked.words, by=caller)
    return _shown(application, caller, factory)


@router.post(ONE + "/measurements", access=SIGNED_IN)
def measure(application: str, asked: MeasurementsIn, caller: CallerDep, factory: FactoryDep) -> ReviewOut:
    """Measured times of at least three node counts on one input."""
    measured = [one.model_dump() for one in asked.measured]
    factory.reviewing.desk.measure(application, measured, asked.nodes, by=caller)
    return _shown(application, caller, factory)


@router.post(ONE + "/technical", access=REVIEW)
def technical(application: str, asked: TechnicalIn, caller: CallerDep, factory: FactoryDep) -> ReviewOut:
    """The technical check, with its motive."""
    factory.reviewing.desk.technical(application, asked.words, passed=asked.passed, by=caller)
    return _shown(application, caller, factory)


@router.post(ONE + "/experts", access=REVIEW)
def assign(application: str, asked: ExpertIn, caller: CallerDep, factory: FactoryDep) -> ReviewOut:
    """Ask an expert; refused by rule where they have a stake."""
    factory.reviewing.panel.assign(application, asked.person, by=caller)
    return _shown(application, caller, factory)


@router.post(ONE + "/release", access=REVIEW)
def release(application: str, asked: ReleaseIn, caller: CallerDep, factory: FactoryDep) -> ReviewOut:
    """Take an assignment back from an expert who does not answer, with a motive."""
    factory.reviewing.panel.release(application, asked.person, asked.words, by=caller)
    return _shown(application, caller, factory)


@router.post(ONE + "/assessment", access=SIGNED_IN)
def assess(application: str, asked: AssessmentIn, caller: CallerDep, factory: FactoryDep) -> ReviewOut:
    """Your assessment; it does not change afterwards."""
    factory.reviewing.panel.assess(application, asked.scores, asked.text, no_conflict=asked.no_conflict, by=caller)
    return _shown(application, caller, factory)


@router.post(ONE + "/decline", access=SIGNED_IN)
def decline(application: str, asked: DeclineIn, caller: CallerDep, factory: FactoryDep) -> DeclinedOut:
    """Decline to assess it: from then on it is not shown to you."""
    made = factory.reviewing.panel.decline(application, asked.words, conflict=asked.conflict, by=caller)
    assert made.declined_at is not None
    return DeclinedOut(application=application, declined_at=made.declined_at, conflict=made.conflict)


@router.post(ONE + "/decision", access=AWARD)
def decide(application: str, asked: DecisionIn, caller: CallerDep, factory: FactoryDep) -> ReviewOut:
    """The committee's decision, with its motive."""
    factory.reviewing.committee.decide(
        application, asked.verdict, asked.words, gpu_hours=asked.gpu_hours, share=asked.share, by=caller
    )
    return _shown(application, caller, factory)


@router.post(ONE + "/signature", access=AWARD)
def sign(application: str, caller: CallerDep, factory: FactoryDep) -> ReviewOut:
    """The second signature under a decision."""
    factory.reviewing.committee.sign(application, by=caller)
    return _shown(application, caller, factory)
