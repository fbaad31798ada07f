"""First come, first served with backfilling, against a plain replay that knows nothing of ours; and against what it gives on real traces."""

import heapq
import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabriek.compute.simulator.machines import machine_of_procs
from fabriek.compute.simulator.policies import policy_named
from fabriek.compute.simulator.recorded import BEGIN, Reading, Recorded, rows_on
from fabriek.compute.simulator.replay import Policy, replay
from tests.servers.factory import COMMAND

PROCS = 16
Jobs = list[tuple[int, int, int, int]]
"""Submitted, ran, processors, asked for."""


def plain(jobs: Jobs) -> list[int]:
    """When each starts: one reservation, for the head of the queue; behind it, in order of submission, whatever does not delay that."""
    starts = [-1] * len(jobs)
    running: list[tuple[int, int]] = []  # (leaves, job)
    planned: list[tuple[int, int]] = []  # (leaves at the latest, job)
    coming, queue, free = list(range(len(jobs)))[::-1], list[int](), PROCS
    while coming or running:
        now = min([jobs[one][0] for one in coming[-1:]] + [one[0] for one in running[:1]])
        while running and running[0][0] <= now:
            _, gone = heapq.heappop(running)
            free += jobs[gone][2]
            planned = [one for one in planned if one[1] != gone]
        while coming and jobs[coming[-1]][0] <= now:
            queue.append(coming.pop())
        due, spare = None, 0
        for job in list(queue):
            _, ran, width, asked = jobs[job]
            fits = width <= free and (due is None or now + asked <= due or width <= spare)
            if fits:
                if due is not None and now + asked > due:
                    spare -= width
                starts[job], free = now, free - width
                heapq.heappush(running, (now + ran, job))
                planned = sorted([*planned, (now + asked, job)])
                queue.remove(job)
            elif due is None:
                room = free
                for leaves, other in planned:
                    room += jobs[other][2]
                    if room >= width:
                        due, spare = leaves, room - width
                        break
    return starts


def ours(jobs: Jobs) -> list[int]:
    reading = Reading(
        [Recorded(str(n), submitted, ran, width, asked) for n, (submitted, ran, width, asked) in enumerate(jobs)]
    )
    machine, easy = machine_of_procs(PROCS), policy_named("easy")
    outcome = replay(rows_on(reading, machine.capacity, {}), machine, Policy({}, easy.order))
    found = {int(one.row.job): round((one.started_at - BEGIN).total_seconds()) for one in outcome.placed}
    return [found[number] for number in range(len(jobs))]


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12), st.integers(1, PROCS), st.integers(0, 12)), max_size=40)
)
def test_every_start_is_that_of_the_plain_replay(drawn: list[tuple[int, int, int, int]]) -> None:
    """Few instants and few lengths, so that many leave at once."""
    jobs = sorted((submitted, ran, width, ran + over) for submitted, ran, width, over in drawn)
    assert ours(jobs) == plain(jobs)


@pytest.mark.data
def test_the_figures_of_a_real_trace_are_those_of_the_reference(data_folder: Path) -> None:
    """KTH SP2, 100 processors: mean wait 6,480 s, bounded slowdown 86.96 with EASY; and what our own order makes of it."""
    trace = data_folder / "traces" / "KTH-SP2-1996-2.1-cln.swf.gz"
    told = [*COMMAND, "simulate", str(trace), "--procs", "100", "--policy", "easy", "--compare", "default", "--json"]
    answer = subprocess.run(told, capture_output=True, text=True, check=True, timeout=170)
    easy = json.loads(answer.stdout)
    [default] = easy["compared"]
    assert (easy["jobs"], round(easy["mean_wait_seconds"]), round(easy["mean_bounded_slowdown"], 2)) == (
        27_992,
        6_480,
        86.96,
    )
    assert default["mean_bounded_slowdown"] <= 0.6 * easy["mean_bounded_slowdown"]
    assert default["mean_wait_seconds"] <= easy["mean_wait_seconds"]
    assert default["wait_seconds_max"] <= 1.6 * easy["wait_seconds_max"]
