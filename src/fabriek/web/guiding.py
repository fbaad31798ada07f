"""The guide as both edges show it: the next question or the route, in one language."""

from collections.abc import Mapping

from fabriek.access.applying.guide import asked_before, guide_on, next_question, route
from fabriek.schemas.guide import AnsweredOut, ChoiceOut, GuideOut, QuestionOut, RouteOut
from fabriek.web.services import Services


def guided(services: Services, answers: Mapping[str, str], lang: str) -> GuideOut:
    """Raises InvalidInput on an answer that is none."""
    guide = guide_on(services.clock.today(), accredited=services.settings.accredited)
    answered = [
        AnsweredOut(name=asked.name, text=asked.text[lang], choice=choice.name, label=choice.label[lang])
        for asked, choice in asked_before(guide, answers)
    ]
    if (asked := next_question(guide, answers)) is not None:
        choices = [ChoiceOut(name=one.name, label=one.label[lang]) for one in asked.choices]
        question = QuestionOut(
            name=asked.name, text=asked.text[lang], hint=asked.hint.get(lang, ""), unit=asked.unit, choices=choices
        )
        return GuideOut(question=question, answered=answered)
    found = route(guide, answers)
    shown = RouteOut(
        name=found.name, title=found.title[lang], reason=found.reason[lang], source=found.source, next_step=found.next_step[lang],
        remarks=[one[lang] for one in found.remarks], command=found.command, call=found.call, carries=dict(found.carries),
    )  # fmt: skip
    return GuideOut(route=shown, answered=answered)
