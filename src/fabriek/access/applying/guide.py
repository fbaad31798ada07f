"""The guide: at most eight questions, then one route with its reason and the next step. Questions, ways and rules are dated data.

The rules are read from above; the first that holds decides, and a question comes only when the first rule that may still hold hangs on it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from fabriek.access.applying.call_files import call
from fabriek.kernel.dated import read_rows, shipped
from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.kernel.languages import LANGUAGES

ASKED_MAX = 8
ANY = "*"

Words = Mapping[str, str]
"""Language → text."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer. `to`: the largest number that it takes; `fills`: what a call's form gets from it; `call`: the call for that amount."""

    name: str
    label: Words
    to: int | None
    fills: Words
    call: str


@dataclass(frozen=True, slots=True)
class Question:
    """`unit` where a number may be given too."""

    name: str
    text: Words
    hint: Words
    unit: str
    choices: tuple[Choice, ...]
    valid_from: date
    source: str


@dataclass(frozen=True, slots=True)
class Way:
    """Where a rule leads, and the exact command with which it goes on."""

    name: str
    title: Words
    next_step: Words
    command: str
    valid_from: date
    source: str


@dataclass(frozen=True, slots=True)
class Rule:
    """`when`: question → answers that count; None is any answer."""

    way: str
    when: Mapping[str, frozenset[str] | None]
    reason: Words
    call: str
    call_of: str
    unless_accredited: bool
    valid_from: date
    source: str


@dataclass(frozen=True, slots=True)
class Remark:
    """What those who answered so should know beside their route."""

    when: Mapping[str, frozenset[str] | None]
    says: Words
    valid_from: date
    source: str


@dataclass(frozen=True, slots=True)
class Guide:
    """All that counts on one day at one installation."""

    questions: Mapping[str, Question]
    ways: Mapping[str, Way]
    rules: tuple[Rule, ...]
    remarks: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """The one answer. `call`: the call that follows, where one does, and `carries` what its form has got already."""

    name: str
    title: Words
    reason: Words
    source: str
    remarks: tuple[Words, ...]
    next_step: Words
    command: str
    call: str
    carries: Mapping[str, str]


@cache
def guide_on(day: date, *, accredited: bool = False) -> Guide:
    """What counts that day; `accredited`: whether this installation may hold data of departementaal-vertrouwelijk and higher."""
    questions, routes = (shipped("fabriek.access.applying", f"guide/{name}.toml") for name in ("questions", "routes"))
    return guide_of(questions, routes, day, accredited=accredited)


def guide_of(questions: str, routes: str, day: date, *, accredited: bool = False) -> Guide:
    """From the two files. Raises InvalidInput on a slip in them: a rule on a question or way that is not there, or a last rule that may fail."""
    asked = {one.name: one for one in read_rows(questions, "question", _question) if one.valid_from <= day}
    ways = {one.name: one for one in read_rows(routes, "way", _way) if one.valid_from <= day}
    rules = [one for one in read_rows(routes, "rule", _rule) if one.valid_from <= day]
    remarks = tuple(one for one in read_rows(routes, "remark", _remark) if one.valid_from <= day)
    for rule in rules:
        if rule.way not in ways:
            raise InvalidInput(
                f"a rule leads to {rule.way!r}, which is no [[way]]", fix="add the way, or mend the rule"
            )
    for when in (*(one.when for one in rules), *(one.when for one in remarks)):
        _check_known(when, asked)
    if not rules or rules[-1].when:
        raise InvalidInput("the last rule does not hold for everyone", fix="end with a [[rule]] with when = {}")
    kept = tuple(one for one in rules if not (accredited and one.unless_accredited))
    return Guide(asked, ways, kept, remarks)


def next_question(guide: Guide, answers: Mapping[str, object]) -> Question | None:
    """What must be known yet; None when the route is decided. Raises InvalidInput on an answer that is none."""
    said = words_of(guide, answers)
    rule, missing = _first(guide, said)
    return guide.questions[missing] if rule is None else None


def asked_before(guide: Guide, answers: Mapping[str, object]) -> Iterator[tuple[Question, Choice]]:
    """The questions that these answers were asked, in the order of asking, each with the choice; what was not asked is left out."""
    said, so_far = words_of(guide, answers), dict[str, str]()
    while True:
        _, missing = _first(guide, so_far)
        if missing not in said:
            return
        so_far[missing] = said[missing]
        yield guide.questions[missing], choice_of(guide.questions[missing], said[missing])


def route(guide: Guide, answers: Mapping[str, object]) -> Route:
    """The one route. Raises InvalidInput on an answer that is none, and on one that is missing, with the question."""
    said = words_of(guide, answers)
    rule, missing = _first(guide, said)
    if rule is None:
        question = guide.questions[missing]
        raise InvalidInput(
            f"{missing} is not answered: {question.text['en']}",
            fix=f"--answer {missing}={'|'.join(one.name for one in question.choices)}",
            errors=[{"field": missing, "message": "is missing"}],
        )
    way = guide.ways[rule.way]
    counted = {question.name: choice for question, choice in asked_before(guide, answers)}
    follows = counted[rule.call_of].call if rule.call_of else rule.call
    carries = _carried(follows, counted, answers) if follows else {}
    command = way.command.replace("{call}", follows)
    command += "".join(f" --answer {name}={value}" for name, value in carries.items())
    remarks = tuple(
        one.says for one in guide.remarks if _holds(one.when, {n: c.name for n, c in counted.items()}) == ""
    )
    return Route(way.name, way.title, rule.reason, rule.source, remarks, way.next_step, command, follows, carries)


def words_of(guide: Guide, answers: Mapping[str, object]) -> dict[str, str]:
    """Each answer as the word of its choice: a number is that of the range it lies in. Raises InvalidInput naming all that are none."""
    said, errors = {}, []
    for name, answer in answers.items():
        question = guide.questions.get(name)
        if question is None:
            errors.append({"field": name, "message": f"is no question; they are {', '.join(guide.questions)}"})
        elif (found := _word(question, answer)) is None:
            or_number = f", or a number of {question.unit} above 0" if question.unit else ""
            names = ", ".join(one.name for one in question.choices)
            errors.append({"field": name, "message": f"must be one of {names}{or_number}"})
        else:
            said[name] = found
    if errors:
        raise InvalidInput(
            f"{errors[0]['field']}: {errors[0]['message']}",
            fix="fabriek apply guide asks them one by one",
            errors=errors,
        )
    return said


def choice_of(question: Question, word: str) -> Choice:
    return next(one for one in question.choices if one.name == word)


def _word(question: Question, answer: object) -> str | None:
    text = str(answer).strip()[:40]
    if any(one.name == text for one in question.choices):
        return text
    if question.unit and not isinstance(answer, bool) and text.isascii() and text.isdecimal() and int(text) > 0:
        return next((one.name for one in question.choices if one.to is not None and int(text) <= one.to), None)
    return None


def _first(guide: Guide, said: Mapping[str, str]) -> tuple[Rule | None, str]:
    """The rule that decides; or None and the question that must be asked first."""
    for rule in guide.rules:
        missing = _holds(rule.when, said)
        if missing == "":
            return rule, ""
        if missing is not None:
            return None, missing
    raise AssertionError("the last rule holds for everyone")


def _holds(when: Mapping[str, frozenset[str] | None], said: Mapping[str, str]) -> str | None:
    """Empty when the condition holds, None when it cannot, else the first question that it hangs on."""
    if any(name in said and wanted is not None and said[name] not in wanted for name, wanted in when.items()):
        return None
    return next((name for name in when if name not in said), "")


def _carried(follows: str, counted: Mapping[str, Choice], answers: Mapping[str, object]) -> dict[str, str]:
    """What the form of that call gets from the answers: only what it asks, and can take."""
    filled = {name: value for choice in counted.values() for name, value in choice.fills.items()}
    filled |= {name: str(answers[name]) for name in counted if str(answers[name]).isdecimal()}
    try:
        asked = {one.name: one for one in call(follows).fields}
    except NotFound:
        return filled
    return {
        name: value
        for name, value in filled.items()
        if name in asked
        and (not asked[name].choices or value in asked[name].values)
        and (asked[name].kind != "number" or (value.isdecimal() and int(value) <= asked[name].limited))
    }


def _check_known(when: Mapping[str, frozenset[str] | None], asked: Mapping[str, Question]) -> None:
    for name, wanted in when.items():
        known = {one.name for one in asked[name].choices} if name in asked else set[str]()
        if name not in asked or (wanted is not None and not wanted <= known):
            raise InvalidInput(
                f"a rule hangs on {name} = {sorted(wanted or ())}, which nobody is asked", fix="mend when = {…}"
            )


def _when(row: dict[str, Any]) -> dict[str, frozenset[str] | None]:
    return {name: None if wanted == ANY else frozenset(wanted) for name, wanted in row["when"].items()}


def _both(words: dict[str, str]) -> Words:
    return {language: words[language] for language in LANGUAGES}


def _question(row: dict[str, Any]) -> Question:
    choices = tuple(
        Choice(one["name"], _both(one["label"]), one.get("to"), one.get("fills", {}), one.get("call", ""))
        for one in row["choices"]
    )
    hint = _both(row["hint"]) if "hint" in row else {}
    return Question(
        row["name"], _both(row["text"]), hint, row.get("unit", ""), choices, row["valid_from"], row["source"]
    )


def _way(row: dict[str, Any]) -> Way:
    return Way(row["name"], _both(row["title"]), _both(row["next"]), row["command"], row["valid_from"], row["source"])


def _rule(row: dict[str, Any]) -> Rule:
    return Rule(
        row["way"], _when(row), _both(row["reason"]), row.get("call", ""), row.get("call_of", ""), row.get("unless_accredited", False),
        row["valid_from"], row["source"],
    )  # fmt: skip


def _remark(row: dict[str, Any]) -> Remark:
    return Remark(_when(row), _both(row["says"]), row["valid_from"], row["source"])
