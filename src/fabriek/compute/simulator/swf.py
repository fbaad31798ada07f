"""The Standard Workload Format: 18 numbers a line, -1 for what nobody knows. Source: Chapin et al., JSSPP 1999; version 2.2 of 2006."""

from collections.abc import Iterable

from fabriek.compute.simulator.recorded import NOT_RUN, Reading, Recorded, fault_of

FIELDS = 18
NUMBER, SUBMITTED, RAN, ALLOCATED, ASKED, WANTED, USER, GROUP, QUEUE = 0, 1, 3, 4, 7, 8, 11, 12, 14

DAMAGED = "a line that is not 18 numbers"
NO_PROCESSORS = "no processors"


def read_swf(lines: Iterable[str]) -> Reading:
    """Processors as asked for, else as given. What never ran says nothing about a schedule and is skipped."""
    found = Reading()
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text.startswith(";"):
            key, _, value = text[1:].partition(":")
            if key.strip() == "MaxProcs" and value.split()[:1] and value.split()[0].isdecimal():
                found.procs = int(value.split()[0])
        elif text:
            _read(found, text.split(), number)
    return found


def _read(found: Reading, fields: list[str], number: int) -> None:
    try:
        values = [float(one) for one in fields[:FIELDS]]
        whole = [int(values[one]) for one in (ALLOCATED, ASKED, USER, GROUP, QUEUE)]
    except (ValueError, OverflowError, IndexError):
        found.skip(DAMAGED, number)
        return
    if len(values) < FIELDS:
        found.skip(DAMAGED, number)
        return
    allocated, asked, user, group, queue = whole
    processors = asked if asked > 0 else allocated
    # Few people send most jobs, and a trace has hundreds of thousands: the same words are kept once.
    words = found.words.setdefault((user, group, queue), {"user": str(user), "group": str(group), "queue": str(queue)})
    wanted = max(0.0, values[WANTED])
    job = Recorded(f"{fields[NUMBER]}:{number}", values[SUBMITTED], values[RAN], processors, wanted, words=words)
    fault = fault_of(job)
    if fault:
        found.skip(NO_PROCESSORS if fault != NOT_RUN and processors < 1 else fault, number)
    else:
        found.jobs.append(job)
