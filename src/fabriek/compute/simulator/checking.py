"""What is no error in the files of a replay, and still hardly meant: said before anybody believes the figures."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from fabriek.compute.power import Limit
from fabriek.compute.simulator.outcomes import Placed
from fabriek.kernel.errors import InvalidInput


def check_names(policies: Iterable[str]) -> None:
    """Raises InvalidInput where two policies are called the same: nobody could tell their figures apart."""
    twice = [name for name, count in Counter(policies).items() if count > 1]
    if twice:
        raise InvalidInput(
            f"two policies are called {twice[0]}",
            fix="name each once; a file is called as it is named, without its ending",
        )


def warnings_of(limits: Sequence[Limit], placed: Sequence[Placed]) -> Iterator[str]:
    """Limits that no job could meet, and limits that overlap: there the lowest holds."""
    if placed:
        first, last = min(one.row.submitted_at for one in placed), max(one.ended_at for one in placed)
        outside = [one for one in limits if one.ends <= first or one.starts >= last]
        if outside:
            yield (
                f"{len(outside):,} of {len(limits):,} limits lie before the trace begins or after its last job ends: it goes from "
                f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
            )
    ordered = sorted(limits, key=lambda one: (one.starts, one.ends))
    until, overlapping = None, 0
    for one in ordered:
        overlapping += until is not None and one.starts < until
        until = one.ends if until is None else max(until, one.ends)
    if overlapping:
        yield f"{overlapping:,} limits begin before another has ended: where limits overlap, the lowest holds"
