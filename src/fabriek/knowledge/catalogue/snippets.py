"""How what an entry describes is used: by the command line and by the SDK."""

from dataclasses import dataclass

from fabriek.knowledge.catalogue.entries import Entry, EntryKind


@dataclass(frozen=True, slots=True)
class Snippet:
    """Both to be copied. Empty where there is nothing to use."""

    command: str = ""
    python: str = ""


def snippet(entry: Entry, project: str, name: str) -> Snippet:
    """project: the short name of the project that the entry is of. name: the subject's own, within it."""
    if entry.kind is EntryKind.DATASET:
        return Snippet(
            f"fabriek run --data {project}/{name}:/data -- python train.py",
            _with(f'factory.vault.pull("{project}/{name}", "data")'),
        )
    if entry.kind is EntryKind.MODEL:
        return Snippet(
            f"fabriek model show {name} --project {project}",
            _with(f'model = factory.models.show("{name}", project="{project}")'),
        )
    if entry.kind is EntryKind.RECIPE:
        return Snippet(f"fabriek recipe run {name}", _with(f'job = factory.recipes.run("{name}")'))
    if entry.kind is EntryKind.SERVICE:
        return Snippet("fabriek services", _with("offers = factory.catalogue.services()"))
    if entry.kind is EntryKind.TRAINING and not entry.project:
        return Snippet(f"fabriek training ls --course {name}", _with(f'lessons = factory.training.lessons("{name}")'))
    return Snippet()


def _with(line: str) -> str:
    return f"from fabriek.sdk import Fabriek\n\nwith Fabriek.from_environment() as factory:\n    {line}"
