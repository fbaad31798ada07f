"""Verbs of rotation: of the master key, and of a dataset's epoch key. What is left to do stands in the database, so any server goes on."""

import logging
from dataclasses import replace

from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.errors import Damaged, FabriekError, nothing_here
from fabriek.vault.datasets import Kind
from fabriek.vault.desk import Desk, Parts
from fabriek.vault.keeping.ports import KeyStores
from fabriek.vault.keeping.rotations import MASTER, SETTLES_AFTER, Rotation

log = logging.getLogger("fabriek.vault")


REWRAPPED_AT_ONCE = 100
"""In one transaction: what a killed server does once more at most."""


class Rotating(Desk):
    """New keys for old. Never inside a transaction: every step asks the master key."""

    def __init__(self, parts: Parts, keeping: KeyStores) -> None:
        super().__init__(parts)
        self._keeping = keeping

    def rotate_master(self, *, by: Caller) -> Rotation:
        """A new master key, and everything wrapped under it; the old one is destroyed later, by the worker, once nothing is under it.

        Asked again before that, it goes on where it stopped. Raises Unavailable, Damaged when something does not open: then nothing is
        destroyed.
        """
        require(by, "keys.rotate")
        going = self._keeping.rotations.unfinished(MASTER)
        if not going or going[-1].rewrapped_at is not None:
            self._begin(MASTER, self._keeping.masters.renew(), by, "keys.rotation_begun")
        return self._rewrap_master(self._keeping.rotations.unfinished(MASTER)[-1])

    def rotate_dataset(self, reference: str, *, project: str = "", by: Caller) -> Rotation:
        """A new epoch key, and the keys of all versions wrapped under it; the old ones are destroyed. The owner's decision."""
        parts = self._parts
        dataset, _ = self._find(reference, project, by)
        self._require_owner(dataset, by)
        if dataset.kind is not Kind.DATA:
            raise nothing_here()
        with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
            self._refuse_erased(parts.datasets.get(dataset.id))
            going = self._keeping.rotations.unfinished(dataset.id)
            if not going:
                moved = self._begin_epoch(dataset.id)
                self._begin(dataset.id, str(moved.epoch), by, "epoch.rotation_begun")
        return self._rewrap_dataset(self._keeping.rotations.unfinished(dataset.id)[0])

    def go_on(self) -> None:
        """Ends every rotation that was begun, as far as it can be now. For the worker; one that fails stops no other."""
        unfinished = self._keeping.rotations.unfinished()
        # Of several master keys the newest is the one that all is to be under; it closes the older rotations too.
        newest = {rotation.what: rotation for rotation in unfinished}
        for rotation in newest.values():
            try:
                if rotation.what != MASTER:
                    self._rewrap_dataset(rotation)
                elif rotation.rewrapped_at is None:
                    self._rewrap_master(rotation)
                elif self._parts.clock.now() >= rotation.rewrapped_at + SETTLES_AFTER:
                    self._destroy_masters(rotation)
            except FabriekError as error:
                log.warning("rotation %s waits: %s", rotation.id, error.detail)

    def newest(self, *, by: Caller) -> tuple[str, Rotation | None]:
        """The master key that wraps now, and how far its rotation is."""
        require(by, "keys.rotate")
        return self._keeping.masters.current(), self._keeping.rotations.newest(MASTER)

    def _begin(self, what: str, target: str, by: Caller, event: str) -> None:
        parts = self._parts
        rotation = Rotation(parts.ids.new("rot"), what, target, by.person, parts.clock.now())
        with parts.datasets.transaction():
            self._keeping.rotations.add(rotation)
            parts.audit.record(event, rotation.id, by, what=what, target=target)

    def _rewrap_master(self, rotation: Rotation) -> Rotation:
        parts, masters = self._parts, self._keeping.masters
        damaged = 0
        for store in self._keeping.under_master:
            tried = set[tuple[str, ...]]()
            while batch := [one for one in store.not_under(rotation.target) if one.place not in tried]:
                fresh = []
                for one in batch[:REWRAPPED_AT_ONCE]:
                    tried.add(one.place)
                    try:
                        fresh.append((one, masters.wrap(masters.unwrap(one.wrapped, one.context), one.context)))
                    except Damaged:
                        damaged += 1
                with parts.datasets.transaction():
                    for one, wrapped in fresh:
                        store.rewrap(one, wrapped)
        if damaged:
            raise Damaged(
                f"{damaged} wrapped keys do not open; the old master key stays", fix="restore a backup", where="keys"
            )
        done = replace(rotation, rewrapped_at=parts.clock.now())
        with parts.datasets.transaction():
            self._keeping.rotations.save(done)
            parts.audit.record("keys.rewrapped", rotation.id, SYSTEM, target=rotation.target)
        return done

    def _destroy_masters(self, rotation: Rotation) -> None:
        """Only what nothing is wrapped under. What a slow server wrapped meanwhile is wrapped anew first."""
        parts, masters = self._parts, self._keeping.masters
        if any(store.not_under(rotation.target) for store in self._keeping.under_master):
            self._rewrap_master(rotation)
            return
        current = masters.current()
        old = [name for name in masters.names() if name != current] if current == rotation.target else []
        for name in old:
            masters.destroy(name)
        with parts.datasets.transaction():
            for one in self._keeping.rotations.unfinished(MASTER):
                self._keeping.rotations.save(replace(one, destroyed_at=parts.clock.now()))
            parts.audit.record("keys.destroyed", rotation.id, SYSTEM, names=",".join(old))

    def _rewrap_dataset(self, rotation: Rotation) -> Rotation:
        parts, now = self._parts, self._parts.clock.now()
        dataset = parts.datasets.get(rotation.what)
        if dataset.erased_at is None:
            epoch = self._current_epoch(dataset.id)
            for version in parts.versions.of_dataset(dataset.id):
                if version.epoch >= epoch.number:
                    continue
                key = parts.cipher.unwrap(
                    parts.epoch_keys.get(dataset.id, version.epoch), version.wrapped_key, version.id
                )
                wrapped = parts.cipher.wrap(epoch, key, version.id)
                with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
                    if not parts.epoch_keys.of_dataset(dataset.id):
                        break  # erased meanwhile
                    stands = parts.versions.get(version.id)
                    parts.versions.save(replace(stands, epoch=epoch.number, wrapped_key=wrapped))
        done = replace(rotation, rewrapped_at=now, destroyed_at=now)
        with parts.datasets.transaction(alone=f"dataset:{rotation.what}"):
            used = [one.epoch for one in parts.versions.of_dataset(rotation.what)]
            if parts.datasets.get(rotation.what).erased_at is None:
                parts.epoch_keys.destroy(rotation.what, below=min([*used, int(rotation.target)]))
            self._keeping.rotations.save(done)
            parts.audit.record("epoch.rotated", rotation.what, SYSTEM, rotation=rotation.id, target=rotation.target)
        parts.cipher.forget_dataset(rotation.what)
        return done
