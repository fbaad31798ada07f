"""Verbs that wipe files on their way in: what was given up, and what nobody went on with. A legal hold keeps what arrived of them too."""

from dataclasses import replace

from fabriek.kernel.errors import NotFound, WrongState
from fabriek.vault.desk import Desk, Parts
from fabriek.vault.intake.arrivals import Arrival
from fabriek.vault.keeping.erasing import Erasing
from fabriek.vault.uploads import Progress, Upload

OBJECTS_AT_ONCE = 2_000
"""Objects after which `forget_overdue` begins no other file, so that whoever stops the worker waits for one at most."""


class Wiping(Desk):
    """Keys first: without them the bytes are noise, whatever happens to us next."""

    def __init__(self, parts: Parts, erasing: Erasing) -> None:
        super().__init__(parts)
        self._erasing = erasing

    def give_up(self, arrival: Arrival, upload: Upload) -> None:
        """Raises WrongState when it is in a version, and under a hold."""
        self._wipe(arrival, upload)

    def end(self, upload: Upload) -> None:
        """No byte of it is taken any more. Raises WrongState under a hold."""
        parts = self._parts
        with parts.datasets.transaction(alone=f"dataset:{upload.dataset}"):
            self._erasing.check_not_held(upload.dataset)
            stands = parts.uploads.get(upload.id)
            if stands.progress is Progress.OPEN:
                parts.uploads.save(replace(stands, expires_at=min(stands.expires_at, parts.clock.now())))

    def forget_overdue(self) -> bool:
        """Forgets what nobody went on with, with its bytes, and what is in a version, without. A bounded part of it; whether to call again."""
        parts, gone = self._parts, 0
        found = parts.arrivals.overdue(parts.clock.now())
        for arrival in found:
            if gone >= OBJECTS_AT_ONCE:
                break
            try:
                gone += self._wipe(arrival, parts.uploads.get(arrival.upload), overdue=True)
            except WrongState:
                continue  # held since it was found
        return bool(found)

    def _wipe(self, arrival: Arrival, upload: Upload, *, overdue: bool = False) -> int:
        """How many objects it took from the store. A commit takes the same turn, so that no version is made of what goes; and so does whoever
        counts bytes in, so that none becomes the file's once it was read what is its.
        """
        parts, dataset = self._parts, upload.dataset
        with parts.datasets.transaction(alone=f"dataset:{dataset}"):
            try:
                stands = parts.arrivals.get(arrival.id)
            except NotFound:
                return 0  # somebody else wiped it meanwhile
            is_kept = parts.uploads.get(upload.id).progress is Progress.COMMITTED
            if is_kept and not overdue:
                raise WrongState("this file is in a version", fix="fabriek data rm NAME@V removes a version")
            if not is_kept and not stands.given_up:
                self._erasing.check_not_held(dataset)
            names = [stretch.object_id for stretch in parts.arrivals.stretches(arrival.id)]
            parts.epoch_keys.forget_object_keys(dataset, names)
            if not is_kept:
                parts.damages.forget(names)
                parts.arrivals.save(replace(stands, given_up=True, path="", told=""))
        for name in () if is_kept else names:
            parts.blobs.delete(name)
        with parts.datasets.transaction():
            parts.arrivals.forget(arrival.id, objects=not is_kept)
        return 0 if is_kept else len(names)
