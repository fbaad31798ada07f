"""How shares stand to each other, in plain words and both languages."""

from collections.abc import Mapping

from fabriek.funding.policy.tree import GROUP, Tree

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "group": "{group}: {members}. Their parts are one part: what one of them leaves goes first to the others.",
        "ceiling": "{name} may use at most {most} % of the machine at one moment, whatever is idle.",
        "yield": "Beyond its own part a share starts only jobs that may be put back (--preemptible).",
    },
    "nl": {
        "group": "{group}: {members}. Hun delen zijn samen één deel: wat de een overlaat, gaat eerst naar de anderen.",
        "ceiling": "{name} mag op één moment hoogstens {most} % van de machine gebruiken, wat er ook vrij is.",
        "yield": "Boven wat hem toekomt begint een deel alleen taken die teruggezet mogen worden (--preemptible).",
    },
}


def stands_in_words(tree: Tree, names: Mapping[str, str], language: str) -> list[str]:
    """Groups, then ceilings, then what holds of borrowing; nothing where shares stand side by side. names: share id → its name."""
    words = WORDS[language]
    members: dict[str, list[str]] = {}
    for one, above in tree.parents.items():
        members.setdefault(above.removeprefix(GROUP), []).append(_name(one, names))
    most = {_name(one, names): f"{part / 10_000:g}" for one, part in tree.ceilings.items()}
    if language == "nl":
        most = {name: part.replace(".", ",") for name, part in most.items()}
    return [
        *(words["group"].format(group=group, members=", ".join(sorted(some))) for group, some in sorted(members.items())),
        *(words["ceiling"].format(name=name, most=part) for name, part in sorted(most.items())),
        *([words["yield"]] if tree.borrowers_yield else []),
    ]  # fmt: skip


def _name(one: str, names: Mapping[str, str]) -> str:
    return names.get(one, one.removeprefix(GROUP))
