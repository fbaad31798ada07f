"""Verbs on versions that stand: give one a name, take the name back, and remove a version for good."""

from collections.abc import Sequence
from dataclasses import replace

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotFound, QuotaExhausted, WrongState
from fabriek.vault.agreeing.sharing import Sharing
from fabriek.vault.grants import is_alive
from fabriek.vault.tags import TAGS_MAX, Tag, check_tag
from fabriek.vault.versions import Version

GRANTS_LOOKED_THROUGH = 100_000


class Naming(Sharing):
    """For the owner of the data. Events are the dataset's: the newest one of a version itself must be its record."""

    def tag(self, reference: str, name: str, *, project: str = "", by: Caller) -> Tag:
        """From now on NAME@tag is this version; a tag that stood elsewhere is moved. Raises NotPermitted (`data.owner`), InvalidInput."""
        parts = self._parts
        check_tag(name)
        owned = self._owned(reference, project, by)
        with parts.datasets.transaction(alone=f"dataset:{owned.id}"):
            dataset, version = self.resolve(reference, project=project, by=by)
            known = parts.tags.of_dataset(dataset.id)
            if len(known) >= TAGS_MAX and name not in {one.name for one in known}:
                raise QuotaExhausted(
                    f"a dataset has at most {TAGS_MAX} tags", limit=TAGS_MAX, used=len(known), fix="remove some first"
                )
            tag = Tag(dataset.id, name, version.id, parts.clock.now(), by.person)
            parts.tags.put(tag)
            parts.audit.record("version.tagged", dataset.id, by, version=version.id, tag=name, number=version.number)
        return tag

    def untag(self, reference: str, name: str, *, project: str = "", by: Caller) -> None:
        """The name stands for nothing again. Raises NotFound, NotPermitted (`data.owner`)."""
        parts = self._parts
        dataset = self._owned(reference, project, by)
        with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
            tag = parts.tags.get(dataset.id, name)
            if tag is None:
                raise NotFound(f"{dataset.name} has no tag {name[:80]!r}", fix=f"fabriek data show {dataset.name}")
            parts.tags.remove(dataset.id, name)
            parts.audit.record("version.untagged", dataset.id, by, version=tag.version, tag=name)

    def tags(self, reference: str, *, project: str = "", by: Caller) -> Sequence[Tag]:
        """By name, for whoever may know of the dataset."""
        return self._parts.tags.of_dataset(self.find(reference, project=project, by=by).id)

    def remove_version(self, reference: str, *, project: str = "", by: Caller) -> Version:
        """Takes a version away for good: its key is destroyed here, and objects that no other version uses are collected later.

        Its number is never given again, and its record stays where the audit log speaks of it. Raises WrongState while a tag names it
        or somebody has it open, NotPermitted (`data.owner`), NotFound.
        """
        parts = self._parts
        owned = self._owned(reference, project, by)
        with parts.datasets.transaction(alone=f"dataset:{owned.id}"):
            dataset, version = self.resolve(reference, project=project, by=by)
            self._check_free(version)
            removed = replace(version, wrapped_key=b"", removed_at=parts.clock.now())
            for damage in parts.damages.of_version(version.id):
                if not damage.object_id:  # of the version itself; of its objects it goes with them
                    parts.damages.remove(damage)
            parts.versions.save(removed)
            parts.audit.record("version.removed", dataset.id, by, version=version.id, number=version.number)
        return removed

    def _check_free(self, version: Version) -> None:
        parts = self._parts
        named = [tag.name for tag in parts.tags.of_dataset(version.dataset) if tag.version == version.id]
        if named:
            raise WrongState(
                f"the tag {named[0]} names this version", fix=f"fabriek data tag NAME {named[0]} --remove, or move it"
            )
        now = parts.clock.now()
        for grant in parts.grants.of_dataset(version.dataset, limit=GRANTS_LOOKED_THROUGH):
            if grant.version == version.id and is_alive(grant, now):
                who = f"the job {grant.job}" if grant.job else "somebody"
                raise WrongState(f"{who} has this version open", fix="wait until it is closed: fabriek data log NAME")
