"""Verbs of promotion: a lead says what an alias needs, one proposes a version for it, a second person agrees."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Protocol

from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import AlreadyExists, Damaged, NotFound, NotPermitted, nothing_here
from fabriek.kernel.ids import Ids
from fabriek.lab.registry import promotion as rules
from fabriek.lab.registry.facts import Facts, Lineage, ModelFacts
from fabriek.lab.registry.models import ModelVersion
from fabriek.lab.registry.promotion import Check, Outcome, Promotion, Rule, is_same_alias
from fabriek.lab.registry.service import Registry


class Promotions(Protocol):
    """Storage of rules and promotions. Every change joins the transaction that is open."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def put_rule(self, rule: Rule) -> None: ...

    def remove_rule(self, project: str, alias: str) -> None: ...

    def rules_of(self, project: str) -> Sequence[Rule]:
        """By alias."""

    def rule(self, project: str, alias: str) -> Rule | None:
        """However the alias is written."""

    def add(self, promotion: Promotion) -> None: ...

    def save(self, promotion: Promotion) -> None: ...

    def get(self, promotion_id: str) -> Promotion:
        """Raises NotFound."""

    def of_model(self, project: str, model: str) -> Sequence[Promotion]:
        """Newest first; of every model of the project where none is named."""

    def open_in(self, projects: Sequence[str]) -> Sequence[Promotion]:
        """Oldest first."""


class Guard:
    """What the registry asks before it moves an alias: whether a rule stands over it, and who moves it followed that."""

    def __init__(self, kept: Promotions) -> None:
        self._kept = kept

    def __call__(self, project: str, name: str, alias: str, version: ModelVersion | None) -> None:
        """version: None where the alias is taken away, or its model or version. Raises NotPermitted (`promotion.rule`)."""
        rule = self._kept.rule(project, alias)
        if rule is None:
            return
        agreed = [one for one in self._kept.of_model(project, name) if _moved(one, alias)]
        newest = max(agreed, key=lambda one: (one.decided_at, one.proposed_at, one.id), default=None)
        if version is not None and newest is not None and _is_of(newest, version):
            return
        what = f"{name}@{version.number} {rule.alias}" if version else f"{name}@N {rule.alias}"
        raise NotPermitted(
            f"the alias {rule.alias} moves by this project's rule, which asks for: {rule.sentence}",
            rule="promotion.rule",
            fix=f"fabriek model promote {what}; a lead takes the rule away: fabriek model rule {rule.alias} --remove",
        )


class Promoting:
    """Rules and promotions."""

    def __init__(
        self, kept: Promotions, facts: Facts, registry: Registry, lineage: Lineage, audit: Audit, clock: Clock, ids: Ids
    ) -> None:
        self._kept, self._facts, self._registry, self._lineage = kept, facts, registry, lineage
        self._audit, self._clock, self._ids = audit, clock, ids

    def rules(self, project: str, *, by: Caller) -> Sequence[Rule]:
        """By alias."""
        require(by, "lab.view", project=project)
        return self._kept.rules_of(project)

    def set_rule(
        self, project: str, alias: object, *, limits: Sequence[str] = (), jobs: Sequence[str] = (), second_person: bool = True,
        allows_code: bool = False, by: Caller,
    ) -> Rule:  # fmt: skip
        """What this alias needs from now on; what stands where it is stays there. A lead's decision. Raises InvalidInput."""
        require(by, "project.manage", project=project)
        made = rules.make_rule(
            project, alias, limits=limits, jobs=jobs, second_person=second_person, allows_code=allows_code, by=by.person,
            at=self._clock.now(),
        )  # fmt: skip
        with self._kept.transaction(alone=f"promotions:{project}"):
            if known := self._kept.rule(project, made.alias):
                made = replace(made, alias=known.alias)
            self._kept.put_rule(made)
            self._audit.record(
                "promotion.rule_set", project, by, tests=len(made.limits) + len(made.jobs), second_person=second_person,
                allows_code=allows_code,
            )  # fmt: skip
        return made

    def remove_rule(self, project: str, alias: str, *, by: Caller) -> None:
        """From now on whoever may write moves the alias. A lead's decision. Raises NotFound."""
        require(by, "project.manage", project=project)
        with self._kept.transaction(alone=f"promotions:{project}"):
            self._kept.remove_rule(project, self._rule(project, alias).alias)
            self._audit.record("promotion.rule_removed", project, by)

    def checks(self, project: str, facts: ModelFacts, rule: Rule) -> tuple[Check, ...]:
        """What the rule asks for, and how the version stands to it now."""
        metrics = None if facts.withheld else {one.key: one.value for one in facts.metrics}
        version = facts.version
        word = f"models:/{version.name}/{version.number}"
        found = [
            (name, self._lineage.succeeded(project, name, word, facts.job, version.created_at)) for name in rule.jobs
        ]
        return (
            *rules.metric_checks(rule, metrics),
            *(Check(f"the job {name} succeeded on it", job or f"none that names {word} or read what its job left", bool(job)) for name, job in found),
            *rules.format_check(rule, facts.mark),
        )  # fmt: skip

    def propose(self, project: str, name: str, which: str, alias: str, reason: str, *, by: Caller) -> Promotion:
        """Asks for the alias to go to this version; it goes at once where the rule asks for no second person. Not inside a transaction.

        Raises NotPermitted (`promotion.tests`) naming what does not hold, NotFound without a rule, AlreadyExists, Damaged.
        """
        require(by, "lab.write", project=project)
        rule, facts = self._rule(project, alias), self._facts.of(project, name, which, by=by)
        made = Promotion(
            self._ids.new("prm"), project, facts.version.name, facts.version.number, rule.alias, facts.version.sha256,
            rules.read_words(reason), by.person, self._clock.now(), checks=self._passed(rule, facts),
        )  # fmt: skip
        with self._alone(made):
            waits = [one for one in self._kept.of_model(project, made.model) if one.outcome is Outcome.OPEN]
            if any(is_same_alias(one.alias, made.alias) for one in waits):
                raise AlreadyExists(
                    f"a version of {made.model} waits for {made.alias} already",
                    fix="agree to that one, or refuse it: fabriek model promotions",
                )
            self._kept.add(made)
            self._audit.record("promotion.proposed", made.id, by, project=project, number=made.number)
            if not rule.second_person:
                return self._move(replace(made, outcome=Outcome.AGREED, decided_by=by.person, decided_at=made.proposed_at), by)  # fmt: skip
        return made

    def agree(self, promotion_id: str, *, by: Caller) -> Promotion:
        """As the second person: the alias goes to the version, if all that the rule asks for holds today. Not inside a transaction.

        Raises NotPermitted (`promotion.second_person`, `promotion.author`, `promotion.tests`), WrongState.
        """
        known = self._found(promotion_id, by)
        require(by, "lab.write", project=known.project)
        rule = self._rule(known.project, known.alias)
        facts = self._facts.of(known.project, known.model, str(known.number), by=by)
        rules.agree(known, by.person, self._clock.now(), authors=facts.authors)
        checks = self._passed(rule, facts)
        with self._alone(known):
            agreed = rules.agree(self._kept.get(known.id), by.person, self._clock.now(), authors=facts.authors)
            if not _is_of(agreed, facts.version) or not self._facts.is_intact(facts.version, by=by):
                raise _changed(known)
            return self._move(replace(agreed, checks=checks), by)

    def refuse(self, promotion_id: str, words: str, *, by: Caller) -> Promotion:
        """Whoever may write refuses it; who proposed it takes it back. Raises WrongState."""
        known = self._found(promotion_id, by)
        require(by, "lab.write", project=known.project)
        with self._alone(known):
            refused = rules.refuse(self._kept.get(known.id), by.person, self._clock.now(), words)
            self._kept.save(refused)
            self._audit.record("promotion.refused", refused.id, by, project=refused.project, number=refused.number)
        return refused

    def of_model(self, project: str, name: str = "", *, by: Caller) -> Sequence[Promotion]:
        """Newest first; of every model where none is named."""
        require(by, "lab.view", project=project)
        return self._kept.of_model(project, name)

    def waiting(self, *, by: Caller) -> Sequence[Promotion]:
        """Those that wait for a second person, in projects where the caller writes and of others; oldest first."""
        mine = [one for one in by.project_rights if by.may("lab.write", project=one)]
        return [one for one in self._kept.open_in(mine) if one.proposed_by != by.person]

    def _move(self, agreed: Promotion, by: Caller) -> Promotion:
        """In the open transaction."""
        self._kept.save(agreed)
        self._registry.set_alias(agreed.project, agreed.model, agreed.alias, agreed.number, by=by)
        self._audit.record("promotion.agreed", agreed.id, by, project=agreed.project, number=agreed.number)
        return agreed

    def _passed(self, rule: Rule, facts: ModelFacts) -> tuple[Check, ...]:
        """Raises Damaged on files that changed, NotPermitted on what does not hold."""
        if not facts.is_intact:
            raise _changed(facts.version)
        checks = self.checks(facts.version.project, facts, rule)
        if failed := [f"{one.asked}: {one.found}" for one in checks if not one.passed]:
            version = facts.version
            raise NotPermitted(
                f"{version.name}@{version.number} does not hold what {rule.alias} asks for: {'; '.join(failed)}",
                rule="promotion.tests",
                fix=f"fabriek model show {version.name}@{version.number}",
            )
        return checks

    def _rule(self, project: str, alias: str) -> Rule:
        found = self._kept.rule(project, alias)
        if found is None:
            raise NotFound(
                f"this project has no rule for the alias {alias[:80]}",
                fix=f"a lead sets one: fabriek model rule {alias[:80]}",
            )
        return found

    def _found(self, promotion_id: str, by: Caller) -> Promotion:
        """Raises NotFound also for one that is not the caller's to know."""
        known = self._kept.get(promotion_id)
        if not by.may("lab.view", project=known.project):
            raise nothing_here()
        return known

    def _alone(self, promotion: Promotion) -> AbstractContextManager[None]:
        return self._kept.transaction(alone=f"model:{promotion.project}:{promotion.model}")


def _moved(one: Promotion, alias: str) -> bool:
    return one.outcome is Outcome.AGREED and is_same_alias(one.alias, alias)


def _is_of(promotion: Promotion, version: ModelVersion) -> bool:
    return (promotion.number, promotion.sha256) == (version.number, version.sha256)


def _changed(what: ModelVersion | Promotion) -> Damaged:
    name = what.name if isinstance(what, ModelVersion) else what.model
    return Damaged(
        f"the files of {name}@{what.number} are no longer those that were registered",
        fix="register them as a new version",
        where=f"{name}@{what.number}",
    )
