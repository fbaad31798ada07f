"""Promotion: an alias that stands for something goes to a version only as the project's rule says, and not by one person's word."""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from fabriek.kernel.errors import InvalidInput, NotPermitted, WrongState
from fabriek.lab.registry.formats import Mark
from fabriek.lab.registry.models import check_alias

WORDS_CHARACTERS_MAX = 2_000
TESTS_MAX = 20
_LIMIT = re.compile(r"\s*(?P<key>[/\w.\- :]{1,250}?)\s*(?P<sign><=|>=)\s*(?P<bound>[-+]?[0-9.]+(?:[eE][-+]?\d+)?)\s*")


@dataclass(frozen=True, slots=True)
class Limit:
    """A metric of the version's run, and on which side of a bound its last value must be; the bound itself is good enough."""

    key: str
    sign: str
    bound: float

    def holds(self, value: float) -> bool:
        """NaN is on no side."""
        return value >= self.bound if self.sign == ">=" else value <= self.bound

    def __str__(self) -> str:
        return f"{self.key}{self.sign}{self.bound:g}"


@dataclass(frozen=True, slots=True)
class Rule:
    """What an alias of this project needs. `jobs`: names of jobs of which one must have succeeded on the very version."""

    project: str
    alias: str
    limits: tuple[Limit, ...]
    jobs: tuple[str, ...]
    second_person: bool
    allows_code: bool
    set_by: str
    set_at: datetime

    @property
    def sentence(self) -> str:
        """What it asks for, as one reads it."""
        asks = [str(one) for one in self.limits] + [f"the job {one} succeeded on it" for one in self.jobs]
        asks += ["a second person agrees"] if self.second_person else []
        return ", ".join(asks + ([] if self.allows_code else ["all its files are data"])) or "nothing"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the rule asks for, what was found, and whether that is enough."""

    asked: str
    found: str
    passed: bool


class Outcome(StrEnum):
    OPEN = "open"
    AGREED = "agreed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Promotion:
    """An alias on its way to a version. `sha256`: the version's files as they were proposed; `checks`: as they stood at the last decision."""

    id: str
    project: str
    model: str
    number: int
    alias: str
    sha256: str
    reason: str
    proposed_by: str
    proposed_at: datetime
    outcome: Outcome = Outcome.OPEN
    decided_by: str = ""
    decided_at: datetime | None = None
    words: str = ""
    checks: tuple[Check, ...] = ()


def is_same_alias(one: str, other: str) -> bool:
    """However it is written: `Champion` must not stand beside `champion` and mean something else."""
    return one.casefold() == other.casefold()


def read_limit(text: str) -> Limit:
    """`test_auc>=0.9`. Raises InvalidInput."""
    found = _LIMIT.fullmatch(text)
    try:
        bound = float(found["bound"]) if found else math.nan
    except ValueError:
        bound = math.nan
    if found is None or not math.isfinite(bound):
        raise InvalidInput(f"{text[:60]!r} is no bound on a metric", fix="write it as test_auc>=0.9 or loss<=0.3")
    return Limit(found["key"].strip(), found["sign"], bound)


def make_rule(
    project: str, alias: object, *, limits: Collection[str], jobs: Collection[str], second_person: bool, allows_code: bool, by: str,
    at: datetime,
) -> Rule:  # fmt: skip
    """Raises InvalidInput."""
    if len(limits) + len(jobs) > TESTS_MAX:
        raise InvalidInput(f"a rule asks for at most {TESTS_MAX} tests", fix="let one job run several of them")
    if wrong := [one for one in jobs if not one.strip() or len(one) > 200]:
        raise InvalidInput(f"{wrong[0][:60]!r} is not the name of a job", fix="the name that fabriek run --name gives")
    read = tuple(dict.fromkeys(read_limit(one) for one in limits))
    named = tuple(dict.fromkeys(one.strip() for one in jobs))
    return Rule(project, check_alias(alias, new=True), read, named, second_person, allows_code, by, at)


def read_words(words: str) -> str:
    if not 0 < len(words.strip()) <= WORDS_CHARACTERS_MAX:
        raise InvalidInput("say why, in at most 2,000 characters", fix="write what the others can judge by")
    return words.strip()


def metric_checks(rule: Rule, metrics: Mapping[str, float] | None) -> list[Check]:
    """metrics: the last value of each; None where the label withholds them."""
    if metrics is None:
        return [Check(str(one), "withheld by its label until it is released", passed=False) for one in rule.limits]
    return [
        Check(str(one), f"{metrics[one.key]:g}" if one.key in metrics else "not logged",
              passed=one.key in metrics and one.holds(metrics[one.key]))
        for one in rule.limits
    ]  # fmt: skip


def format_check(rule: Rule, mark: Mark) -> list[Check]:
    if rule.allows_code:
        return []
    found = {Mark.DATA: "all are", Mark.UNKNOWN: "some are of a kind that we do not know", Mark.CODE: "some are code"}
    return [Check("all its files are data", found[mark], passed=mark is Mark.DATA)]


def agree(promotion: Promotion, person: str, at: datetime, *, authors: Collection[str]) -> Promotion:
    """By a second person. Raises NotPermitted (`promotion.second_person`, `promotion.author`), WrongState."""
    _check_open(promotion)
    if person == promotion.proposed_by:
        raise NotPermitted(
            "this needs another person than the one who proposed it",
            rule="promotion.second_person",
            fix="ask a colleague to agree",
        )
    if person in authors:
        raise NotPermitted(
            "nobody promotes what they registered themselves", rule="promotion.author", fix="ask another colleague"
        )
    return replace(promotion, outcome=Outcome.AGREED, decided_by=person, decided_at=at)


def refuse(promotion: Promotion, person: str, at: datetime, words: str) -> Promotion:
    """Who proposed it takes it back the same way. Raises WrongState."""
    _check_open(promotion)
    return replace(promotion, outcome=Outcome.REFUSED, decided_by=person, decided_at=at, words=read_words(words))


def _check_open(promotion: Promotion) -> None:
    if promotion.outcome is not Outcome.OPEN:
        raise WrongState(f"this promotion is {promotion.outcome} already", fix="propose it anew")
