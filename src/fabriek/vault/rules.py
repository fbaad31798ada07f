"""Who may do what with which data. Pure, so that every path asks the same question and gets the same answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from fabriek.kernel.errors import NotPermitted
from fabriek.vault.agreeing.agreements import Agreement, DataRight, is_in_force
from fabriek.vault.datasets import Dataset, Kind
from fabriek.vault.labelling.labels import Labels
from fabriek.vault.labelling.places import Place, is_allowed
from fabriek.vault.ports import Trained


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and where they stand: the project they act in (empty: none), its purpose or the job's, and their own organisation.

    `manages_home`: they hold data.manage in the dataset's home project; `in_home`: they are a member of it. `accepted`: numbers of the
    dataset's terms that they accepted; None where nobody in particular asks. `nodes`: where jobs run.
    """

    project: str
    organisation: str
    purpose: str
    in_home: bool
    manages_home: bool
    today: date
    accepted: frozenset[int] | None = None
    nodes: Place | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The rule's name, one sentence, and what would help."""

    rule: str
    sentence: str
    fix: str

    def error(self) -> NotPermitted:
        return NotPermitted(self.sentence, rule=self.rule, fix=self.fix)


def may(
    dataset: Dataset, agreements: Iterable[Agreement], asker: Asker, wanted: DataRight, labels: Labels
) -> Refusal | None:
    """None when it is allowed. `agreements` are those on this dataset.

    The owner's people who manage the data at home may look at it and take it away. To compute on it is another matter: a result
    belongs to a project in which others work too, so from a label on there must be an agreement, even at home.
    What a job made is its project's own; whoever asks for it is asked about each of its sources as well, by the caller of this.
    """
    at_home = asker.in_home and asker.project == dataset.project
    if dataset.kind is not Kind.DATA:
        is_free = at_home
    elif wanted is DataRight.COMPUTE:
        is_free = at_home and not labels.needs_agreement(dataset.label)
    else:
        is_free = asker.manages_home and asker.organisation == dataset.organisation
    if is_free:
        return None
    mine = [agreement for agreement in agreements if asker.project and agreement.project == asker.project]
    if any(_allows(agreement, asker, wanted) for agreement in mine):
        return None
    return _refusal(dataset, mine, asker, wanted)


def may_hold(label: str, ceiling: str, labels: Labels, *, accredited: bool) -> Refusal | None:
    """Whether data of this label may be in this installation, and in a project with this ceiling."""
    if labels.needs_accreditation(label) and not accredited:
        return Refusal(
            "label.accreditation",
            f"data labelled {labels.of(label).name} needs an accredited installation, and this one is not",
            "use an installation that its owner declared accredited",
        )
    if labels.exceeds(label, ceiling):
        return Refusal(
            "label.ceiling",
            f"the label {labels.of(label).name} lies above the project's ceiling, {labels.of(ceiling).name}",
            "use a project with a higher ceiling",
        )
    return None


def may_stand(label: str, what: str, place: Place | None, labels: Labels) -> Refusal | None:
    """Whether data of this label may be where `what` stands: our store, our nodes, a backup."""
    if is_allowed(place, labels.bounds(label)):
        return None
    allowed = " and of ".join(", ".join(bound) for bound in labels.bounds(label))
    return Refusal(
        "place.label",
        f"data labelled {labels.of(label).name} may be in places of {allowed}, and {what} is {_named(place)}",
        "use an installation in such a place; its operator names places in the settings place, place_store, place_nodes, place_backup",
    )


def untrained(label: str, person: str, labels: Labels, trained: Trained) -> Refusal | None:
    """Whether this person lacks a course that the label asks of whoever opens such data."""
    lacking = next((one for one in labels.training(label) if not trained.has(person, one)), None)
    if lacking is None:
        return None
    next_on = trained.next_on(lacking)
    when = f"its next lesson is on {next_on}" if next_on else "no lesson of it is planned yet"
    return Refusal(
        "label.training",
        f"data labelled {labels.of(label).name} is opened by those who took the course {lacking}, and you have no certificate of it in force;"
        f" {when}",
        f"take a place: fabriek training ls --course {lacking}",
    )


def _named(place: Place | None) -> str:
    return f"in {place}" if place else "in a place that nobody named"


def _fits(agreement: Agreement, asker: Asker, wanted: DataRight) -> bool:
    return (
        is_in_force(agreement, asker.today) and asker.purpose in agreement.purposes and agreement.right.includes(wanted)
    )


def _is_accepted(agreement: Agreement, asker: Asker) -> bool:
    return not agreement.terms or asker.accepted is None or agreement.terms in asker.accepted


def _allows(agreement: Agreement, asker: Asker, wanted: DataRight) -> bool:
    stands = wanted is not DataRight.COMPUTE or is_allowed(asker.nodes, [agreement.places])
    return _fits(agreement, asker, wanted) and _is_accepted(agreement, asker) and stands


def _refusal(dataset: Dataset, mine: Sequence[Agreement], asker: Asker, wanted: DataRight) -> Refusal:
    """The first reason that a person could do something about."""
    if fitting := [agreement for agreement in mine if _fits(agreement, asker, wanted)]:
        if not any(_is_accepted(agreement, asker) for agreement in fitting):
            return Refusal(
                "agreement.terms",
                f"the agreement on {dataset.name} has terms that you have not accepted",
                f"read and accept them: fabriek data accept {dataset.id}",
            )
        allowed = ", ".join(sorted({place for agreement in fitting for place in agreement.places}))
        return Refusal(
            "place.agreement",
            f"the agreement on this data allows computing in {allowed}, and jobs here run {_named(asker.nodes)}",
            "use an installation in such a place, or ask the owner for another agreement",
        )
    if wanted is not DataRight.COMPUTE:
        word = "taken away" if wanted is DataRight.TAKE_AWAY else "looked at"
        return Refusal(
            f"data.{wanted.value}",
            f"this data may not be {word} from here: that needs the right {wanted.value}, which its owner gives by agreement",
            "compute on it with fabriek run, or ask its owner: fabriek data request NAME",
        )
    in_force = [agreement for agreement in mine if is_in_force(agreement, asker.today)]
    if in_force:
        allowed = ", ".join(sorted({purpose for agreement in in_force for purpose in agreement.purposes}))
        return Refusal(
            "agreement.purpose",
            f"the agreement on this data allows {allowed.replace('_', ' ')} use, not {asker.purpose.replace('_', ' ')}",
            "run with that purpose, or ask the owner for another agreement",
        )
    if mine:
        last = max(agreement.until for agreement in mine)
        return Refusal(
            "agreement.ended",
            f"the agreement on this data has ended (its last day was {last})"
            if all(agreement.ended_at is None or agreement.until < agreement.ended_at.date() for agreement in mine)
            else "the agreement on this data was ended by its owner",
            "ask its owner for a new one: fabriek data request NAME",
        )
    return Refusal(
        "agreement.required",
        f"data labelled {dataset.label} needs an agreement between its owner and the project before a job may compute on it",
        "its owner makes one: fabriek data agree NAME --project P --purpose civilian --until DATE",
    )


def releasing_organisations(behind: Iterable[Dataset], labels: Labels) -> frozenset[str]:
    """Whose people decide about the release of what was made of all this: those whose data carries a label that withholds what jobs emit.
    What a job made belongs to the project's lead organisation, who decides about others' data no more than before.
    """
    data = [one for one in behind if one.kind is Kind.DATA]
    above = {one.organisation for one in data if labels.withholds_logs(one.label)}
    return frozenset(above or {one.organisation for one in data})
