"""What an expert is asked of one application, and what they answered. Nobody reads it but its author until all are in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from fabriek.kernel.errors import InvalidInput, WrongState


@dataclass(frozen=True, slots=True)
class Criterion:
    """`weight`: relative to the others."""

    name: str
    weight: int
    help: str


@dataclass(frozen=True, slots=True)
class Form:
    """Scores are whole numbers from 0 to `score_max`."""

    valid_from: date
    source: str
    score_max: int
    text_characters: int
    criteria: tuple[Criterion, ...]


def read_form(row: dict[str, Any]) -> Form:
    """One [[form]] of the data. Raises InvalidInput where it asks nothing."""
    criteria = tuple(Criterion(one["name"], int(one["weight"]), one["help"]) for one in row.get("criterion", ()))
    made = Form(row["valid_from"], row["source"], int(row["score_max"]), int(row["text_characters"]), criteria)
    if not criteria or made.score_max < 1 or any(one.weight < 1 for one in criteria):
        raise InvalidInput("a form of assessment needs criteria with weights of 1 or more", fix="mend [[form]]")
    return made


@dataclass(frozen=True, slots=True)
class Assignment:
    """An expert asked about one application. `total`: of 0 to 100; None until it is in."""

    id: str
    application: str
    person: str
    assigned_by: str
    assigned_at: datetime
    due_at: datetime
    declined_at: datetime | None = None
    reason: str = ""
    conflict: bool = False
    submitted_at: datetime | None = None
    scores: Mapping[str, int] = field(default_factory=dict)
    text: str = ""
    total: int | None = None

    @property
    def is_open(self) -> bool:
        return self.declined_at is None and self.submitted_at is None


def check_scores(form: Form, scores: Mapping[str, object], text: str) -> dict[str, int]:
    """The scores as they are kept. Raises InvalidInput naming every one that is missing, not asked, or out of range."""
    asked = {one.name for one in form.criteria}
    errors = [{"field": name, "message": "is not a criterion of this form"} for name in scores if name not in asked]
    kept: dict[str, int] = {}
    for one in form.criteria:
        score = scores.get(one.name)
        if score is None:
            errors.append({"field": one.name, "message": f"is missing: {one.help}"})
        elif not isinstance(score, int) or isinstance(score, bool) or not 0 <= score <= form.score_max:
            errors.append({"field": one.name, "message": f"must be a whole number from 0 to {form.score_max}"})
        else:
            kept[one.name] = score
    if not 0 < len(text.strip()) <= form.text_characters:
        errors.append({"field": "text", "message": f"must have 1 to {form.text_characters} characters"})
    if errors:
        raise InvalidInput(
            f"{errors[0]['field']}: {errors[0]['message']}",
            fix="fabriek review show APPLICATION lists the criteria",
            errors=errors,
        )
    return kept


def assessed(one: Assignment, form: Form, scores: Mapping[str, object], text: str, at: datetime) -> Assignment:
    """With what was found in it. Raises WrongState when it is in already: a submitted assessment does not change."""
    if not one.is_open:
        raise WrongState(
            "this assessment is in, and does not change" if one.submitted_at else "you declined this application",
            fix=f"fabriek review show {one.application}",
        )
    kept = check_scores(form, scores, text)
    weights = {each.name: each.weight for each in form.criteria}
    total = sum(kept[name] * weight for name, weight in weights.items()) * 100
    return replace(
        one, submitted_at=at, scores=kept, text=text.strip(), total=round(total / (form.score_max * sum(weights.values())))
    )  # fmt: skip


def are_all_in(assignments: Sequence[Assignment], experts: int) -> bool:
    """Whether as many as were asked for are in, and nobody who accepted is still writing."""
    going = [one for one in assignments if one.declined_at is None]
    return len(going) >= experts and all(one.submitted_at is not None for one in going)
