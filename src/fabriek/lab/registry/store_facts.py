"""The SQL of what is known of models beside the registry: cards, what files are, rules of promotion and promotions."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Index, Integer, Row, String, Table, Text, delete, insert, select

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import nothing_here
from fabriek.lab.registry.cards import Card, read_card
from fabriek.lab.registry.models import ModelVersion
from fabriek.lab.registry.promotion import Check, Limit, Outcome, Promotion, Rule, is_same_alias

IDS_AT_ONCE = 500

cards = Table(
    "lab_model_cards",
    metadata,
    Column("project", String, primary_key=True),
    Column("model", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("sha256", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("written_by", String, nullable=False),
    Column("written_at", Instant, nullable=False),
)

kinds = Table(
    "lab_file_kinds",
    metadata,
    # Of an object, whose bytes never change: what was found once stands.
    Column("object_id", String, primary_key=True),
    Column("kind", String, nullable=False),
)

rules = Table(
    "lab_promotion_rules",
    metadata,
    Column("project", String, primary_key=True),
    Column("alias", String, primary_key=True),
    Column("limits", JSON, nullable=False),
    Column("jobs", JSON, nullable=False),
    Column("second_person", Boolean, nullable=False),
    Column("allows_code", Boolean, nullable=False),
    Column("set_by", String, nullable=False),
    Column("set_at", Instant, nullable=False),
)

promotions = Table(
    "lab_promotions",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("model", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("alias", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("proposed_by", String, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("outcome", String, nullable=False),
    Column("decided_by", String, nullable=False),
    Column("decided_at", Instant),
    Column("words", Text, nullable=False),
    Column("checks", JSON, nullable=False),
    Index("lab_promotions_by_model", "project", "model"),
    Index("lab_promotions_by_outcome", "outcome", "project"),
)


class SqlModelCards:
    """Cards that people wrote."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def put(self, version: ModelVersion, card: Card) -> None:
        row = {
            "project": version.project, "model": version.name, "number": version.number, "sha256": version.sha256, "text": card.text,
            "written_by": card.written_by, "written_at": card.written_at,
        }  # fmt: skip
        self._db.put(cards, row, ("project", "model", "number"))

    def get(self, version: ModelVersion) -> Card | None:
        """None also where it was written for another of that name, which is gone."""
        here = (
            cards.c.project == version.project, cards.c.model == version.name, cards.c.number == version.number,
            cards.c.sha256 == version.sha256,
        )  # fmt: skip
        row = self._db.row(select(cards).where(*here))
        return None if row is None else read_card(row.text, written_by=row.written_by, written_at=row.written_at)

    def kinds(self, objects: Iterable[str]) -> Mapping[str, str]:
        """Object → what it was found to be; those not looked at yet are left out."""
        asked = list(dict.fromkeys(objects))
        return {
            row.object_id: row.kind
            for start in range(0, len(asked), IDS_AT_ONCE)
            for row in self._db.rows(select(kinds).where(kinds.c.object_id.in_(asked[start : start + IDS_AT_ONCE])))
        }

    def keep_kinds(self, found: Mapping[str, str]) -> None:
        for one, kind in found.items():
            self._db.put(kinds, {"object_id": one, "kind": kind}, ("object_id",))


class SqlPromotions:
    """Rules of promotion, and what was promoted by them. Promotions are decided, never deleted."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def put_rule(self, rule: Rule) -> None:
        row = asdict(rule) | {"limits": [[one.key, one.sign, one.bound] for one in rule.limits], "jobs": list(rule.jobs)}  # fmt: skip
        self._db.put(rules, row, ("project", "alias"))

    def remove_rule(self, project: str, alias: str) -> None:
        self._db.execute(delete(rules).where(rules.c.project == project, rules.c.alias == alias))

    def rules_of(self, project: str) -> Sequence[Rule]:
        """By alias."""
        return [_rule(row) for row in self._db.rows(select(rules).where(rules.c.project == project).order_by(rules.c.alias))]  # fmt: skip

    def rule(self, project: str, alias: str) -> Rule | None:
        """However the alias is written."""
        return next((one for one in self.rules_of(project) if is_same_alias(one.alias, alias)), None)

    def add(self, promotion: Promotion) -> None:
        self._db.execute(insert(promotions).values(_values(promotion)))

    def save(self, promotion: Promotion) -> None:
        self._db.put(promotions, _values(promotion), ("id",))

    def get(self, promotion_id: str) -> Promotion:
        row = self._db.row(select(promotions).where(promotions.c.id == promotion_id))
        if row is None:
            raise nothing_here()
        return _promotion(row)

    def of_model(self, project: str, model: str) -> Sequence[Promotion]:
        """Newest first; of every model of the project where none is named."""
        asked = select(promotions).where(promotions.c.project == project)
        asked = asked.where(promotions.c.model == model) if model else asked
        newest = asked.order_by(promotions.c.proposed_at.desc(), promotions.c.id.desc())
        return [_promotion(row) for row in self._db.rows(newest)]

    def open_in(self, projects: Collection[str]) -> Sequence[Promotion]:
        """Those that nobody decided yet, oldest first."""
        asked = list(projects)
        found = [
            _promotion(row)
            for start in range(0, len(asked), IDS_AT_ONCE)
            for row in self._db.rows(
                select(promotions).where(
                    promotions.c.outcome == str(Outcome.OPEN),
                    promotions.c.project.in_(asked[start : start + IDS_AT_ONCE]),
                )
            )
        ]
        return sorted(found, key=lambda one: (one.proposed_at, one.id))


def _rule(row: Row[Any]) -> Rule:
    limits = tuple(Limit(key, sign, bound) for key, sign, bound in row.limits)
    return Rule(**dict(row._mapping) | {"limits": limits, "jobs": tuple(row.jobs)})  # noqa: SLF001  # a row's names


def _values(promotion: Promotion) -> dict[str, Any]:
    checks = [[one.asked, one.found, one.passed] for one in promotion.checks]
    return asdict(promotion) | {"outcome": str(promotion.outcome), "checks": checks}


def _promotion(row: Row[Any]) -> Promotion:
    checks = tuple(Check(*one) for one in row.checks)
    return Promotion(**dict(row._mapping) | {"outcome": Outcome(row.outcome), "checks": checks})  # noqa: SLF001  # a row's names
