"""Verbs of scrubbing: everything is read again, slowly and all the time, so that what rots is found while a copy of it still exists."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.vault.care.checking import BYTES_AT_ONCE, OBJECTS_AT_ONCE, Checking
from fabriek.vault.care.damage import Damage, Pass, position_of
from fabriek.vault.care.stretches import Sample
from fabriek.vault.desk import Desk, Parts

HELD_FOR = timedelta(minutes=30)
"""So long nobody else goes on with a pass that a worker is at; longer than one stretch takes."""

DAMAGE_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """The newest pass, the newest that came to its end, and the damage that stands."""

    current: Pass | None
    last: Pass | None
    damage: Sequence[Damage]


class Scrubbing(Desk):
    """A pass takes `days`, and the next begins when they are over. 0: none begins."""

    def __init__(self, parts: Parts, checking: Checking, *, days: int) -> None:
        super().__init__(parts)
        self._checking, self._lasts = checking, timedelta(days=days)

    def standing(self, *, by: Caller) -> Standing:
        require(by, "vault.check")
        passes = self._parts.passes
        return Standing(passes.newest(), passes.newest(ended=True), self._parts.damages.all(limit=DAMAGE_SHOWN))

    def go_on(self, *, bytes_max: int = BYTES_AT_ONCE) -> bool:
        """Reads the next stretch where the pass is behind its pace; whether there is more to read now. For the worker.

        Killed anywhere, the stretch is read again. Several workers take turns.
        """
        parts, taken = self._parts, self._taken()
        if taken is None:
            return False
        at = position_of(taken.position)
        try:
            looked = self._checking.look(at, Sample(1.0), objects_max=OBJECTS_AT_ONCE, bytes_max=bytes_max)
        except BaseException:
            self._put(replace(taken, held_until=None))
            raise
        ended = looked.next is None
        read = replace(
            taken,
            position=looked.next.text if looked.next else "",
            objects=taken.objects + looked.objects,
            bytes_read=taken.bytes_read + looked.read_bytes,
            damaged=taken.damaged + len(looked.damage),
            held_until=None,
            ended_at=parts.clock.now() if ended else None,
        )
        with parts.passes.transaction(alone="scrub"):
            parts.passes.put(read)
            if ended:
                parts.audit.record(
                    "vault.scrubbed", read.id, SYSTEM, objects=read.objects, bytes=read.bytes_read, damaged=read.damaged
                )
        return not ended and self._is_behind(read)

    def _taken(self) -> Pass | None:
        """The pass that is going on, or a new one, held for us; None where there is nothing to do now."""
        parts, now = self._parts, self._parts.clock.now()
        if not self._lasts:
            return None
        newest = parts.passes.newest()
        if newest is not None and not self._has_work(newest):
            return None
        with parts.passes.transaction(alone="scrub"):
            newest = parts.passes.newest()
            if newest is None or newest.ended_at is not None:
                newest = Pass(parts.ids.new("scr"), now, parts.walk.size_bytes()) if self._may_begin(newest) else None
            if newest is None or not self._has_work(newest):
                return None
            held = replace(newest, held_until=now + HELD_FOR)
            parts.passes.put(held)
        return held

    def _may_begin(self, newest: Pass | None) -> bool:
        return newest is None or self._parts.clock.now() >= newest.begun_at + self._lasts

    def _has_work(self, newest: Pass) -> bool:
        now = self._parts.clock.now()
        if newest.ended_at is not None:
            return self._may_begin(newest)
        return (newest.held_until is None or now >= newest.held_until) and self._is_behind(newest)

    def _is_behind(self, one: Pass) -> bool:
        """Whether less was read than the time that has passed asks for, if as much is read every day."""
        passed = (self._parts.clock.now() - one.begun_at) / self._lasts
        return one.bytes_read <= one.bytes_expected * passed or passed >= 1

    def _put(self, one: Pass) -> None:
        with self._parts.passes.transaction(alone="scrub"):
            self._parts.passes.put(one)
