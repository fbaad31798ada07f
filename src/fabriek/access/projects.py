"""A project: people, a purpose, a ceiling on labels; and the memberships in it."""

from dataclasses import dataclass

from fabriek.kernel.purposes import Purpose


@dataclass(frozen=True, slots=True)
class Project:
    """`lead_organisation` answers for it; people of others may be members too."""

    id: str
    slug: str
    title: str
    purpose: Purpose
    label_ceiling: str
    lead_organisation: str


@dataclass(frozen=True, slots=True)
class Membership:
    """A person in a project; `role` is a word of `roles.PROJECT`."""

    project: str
    person: str
    role: str
