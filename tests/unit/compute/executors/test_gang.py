"""A job of several nodes on this machine: its members behind one wall, told of each other, ended together."""

import json
from pathlib import Path

import pytest

from fabriek.compute.jobs import Job
from fabriek.compute.slurm_words import slurm_variables
from fabriek.compute.terms import Terms
from fabriek.schemas.node import PREEMPT, Phase
from tests.factories.compute import a_job
from tests.factories.gangs import MEETING
from tests.factories.waiting import until
from tests.servers.machine import Machine, Seen

pytestmark = pytest.mark.sandbox

WHO = """
import json, os
print(json.dumps({name: os.environ.get(name) for name in
    ("SLURM_NODEID", "SLURM_PROCID", "SLURM_NNODES", "SLURMD_NODENAME", "GROUP_RANK", "PET_NODE_RANK", "CUDA_VISIBLE_DEVICES", "SLURM_JOB_GPUS")}))
"""


def a_gang(nodes: int, **terms: object) -> Job:
    return a_job(nodes=nodes, number=17, attempts=1, terms=Terms(**terms))  # type: ignore[arg-type]


def run(machine: Machine, nodes: int, *argv: str, **changes: object) -> Seen:
    return machine.run(*argv, nodes=nodes, slurm=slurm_variables(a_gang(nodes)), **changes)


def lines_of(seen: Seen, member: int) -> list[str]:
    return [line.partition(": ")[2] for line in seen.log.splitlines() if line.startswith(f"{member}: ")]


def test_members_meet_over_a_network_of_their_own(machine: Machine) -> None:
    seen = run(machine, 3, "python", "-c", MEETING)
    assert (seen.state.exit_code, seen.state.reason) == (0, ""), seen.log
    nodes = "job-0,job-1,job-2"
    assert lines_of(seen, 0) == [f"met job-1 of {nodes} job-2 of {nodes}"]


def test_each_member_knows_who_it_is_and_has_gpus_of_its_own(machine: Machine) -> None:
    seen = run(machine, 2, "python", "-c", WHO, gpus=2, devices=((4, 5), (2, 3)))
    told = [json.loads(lines_of(seen, member)[0]) for member in range(2)]
    assert [one["SLURMD_NODENAME"] for one in told] == ["job-0", "job-1"]
    for name in ("SLURM_NODEID", "SLURM_PROCID", "GROUP_RANK", "PET_NODE_RANK"):
        assert [one[name] for one in told] == ["0", "1"], name
    # Behind the walls are four devices, which libraries number from 0.
    assert [one["CUDA_VISIBLE_DEVICES"] for one in told] == ["2,3", "0,1"]
    assert {one["SLURM_NNODES"] for one in told} == {"2"}


def test_every_nodes_name_leads_to_an_address_of_its_own(machine: Machine) -> None:
    code = "import socket; [socket.create_server((name, 7000)) for name in ('job-0', 'job-1')]; print(socket.gethostbyname('job'))"
    seen = run(machine, 2, "python", "-c", f"import os\nif os.environ['RANK'] == '0':\n {code}")
    assert (seen.state.exit_code, lines_of(seen, 0)) == (0, ["127.0.0.1"]), seen.log


def test_nothing_outside_can_be_reached(machine: Machine) -> None:
    code = "import socket\ntry: socket.create_connection(('192.0.2.1', 80), 1)\nexcept OSError as error: print(error.strerror)"
    assert lines_of(run(machine, 2, "python", "-c", code), 1) == ["Network is unreachable"]


def test_the_first_that_fails_ends_all_and_its_code_is_the_gangs(machine: Machine) -> None:
    seen = run(machine, 3, "sh", "-c", 'if [ "$RANK" = 1 ]; then exit 7; fi; echo waits; exec sleep 600')
    assert (seen.state.phase, seen.state.exit_code) == (Phase.DONE, 7)
    assert "member 1 ended with 7, and ends all" in seen.log


def test_a_member_that_will_not_stop_is_ended_all_the_same(machine: Machine) -> None:
    seen = run(
        machine, 2, "sh", "-c", 'trap "" TERM; if [ "$RANK" = 1 ]; then kill -9 $$; fi; while :; do sleep 1; done'
    )
    assert seen.state.exit_code == 137


def test_lines_stay_whole_and_in_each_members_order(machine: Machine) -> None:
    code = "import sys\nfor n in range(400): print(n, 'x' * 500)\nsys.stdout.write('the end')"
    seen = run(machine, 3, "python", "-c", code)
    for member in range(3):
        lines = lines_of(seen, member)
        assert [line.split()[0] for line in lines[:-1]] == [str(n) for n in range(400)]
        assert lines[-1] == "the end"
    assert len(seen.log.splitlines()) == 3 * 401


def test_a_cancelled_gang_hears_it_and_is_gone(machine: Machine) -> None:
    hears = 'trap "echo heard; exit 0" TERM; echo ready; while :; do sleep 0.05; done'
    handle = machine.start("sh", "-c", hears, nodes=2, slurm=slurm_variables(a_gang(2)))
    until(lambda: machine.log(handle).count("ready") == 2)
    machine.executor.cancel(handle)
    seen = machine.ended(handle)
    assert seen.state.reason == "cancelled"
    assert [lines_of(seen, member)[-1] for member in range(2)] == ["heard", "heard"]


def test_a_command_that_is_not_there_is_said_so(machine: Machine) -> None:
    seen = run(machine, 2, "no-such-command")
    assert seen.state.exit_code == 127
    assert "no-such-command: No such file or directory" in seen.log


def test_a_batch_script_runs_once_and_its_tasks_on_every_node(machine: Machine) -> None:
    job = a_gang(2, tasks=2, batch=True)
    script = "echo once; srun sh -c 'echo \"task $SLURM_PROCID $SLURM_LOCALID $SLURMD_NODENAME $CUDA_VISIBLE_DEVICES\"' | sort"
    seen = machine.run(
        "sh", "-c", script, nodes=2, batch=True, slurm=slurm_variables(job), gpus=1, devices=((0,), (1,))
    )
    assert seen.log.splitlines() == [
        "once", "task 0 0 job-0 0", "task 1 1 job-0 0", "task 2 0 job-1 1", "task 3 1 job-1 1"
    ]  # fmt: skip


HOLDS = """
import os, time
kept = bytearray(150 << 20)
for at in range(0, 150 << 20, 4096): kept[at] = 1
open("held-" + os.environ["RANK"], "w").close()
while sum(name.startswith("held-") for name in os.listdir()) < 2: time.sleep(0.02)
print("held")
"""


def test_members_share_what_all_of_them_asked_for(machine: Machine) -> None:
    """Each may hold more than its own part, but together they hold no more than both parts."""
    seen = run(machine, 2, "python", "-c", HOLDS, memory_bytes=200 * 2**20)
    assert (lines_of(seen, 0), lines_of(seen, 1)) == (["held"], ["held"]), seen
    over = run(machine, 2, "python", "-c", HOLDS, memory_bytes=100 * 2**20)
    assert over.state.reason == "the memory limit of 200 MiB was exceeded"


SAVES = """
import signal, sys, time
def save(number, frame):
    time.sleep(0.3)
    print("saved", flush=True)
signal.signal(signal.SIGUSR1, save)
print("ready", flush=True)
time.sleep(600)
time.sleep(600)
"""


def test_who_is_put_back_for_another_hears_its_signal_and_has_time_to_save(machine: Machine) -> None:
    handle = machine.start("python", "-c", SAVES, signal="USR1", signal_seconds=1)
    machine.said(handle, "ready")
    for _ in range(3):
        machine.executor.tell(handle, PREEMPT)  # a server that starts again says it again
    seen = machine.ended(handle)
    assert seen.log == "ready\nsaved\n"
    assert seen.state.again
    signals = Path(machine.jobs, f"{handle.job}-{handle.attempt}", "signals").read_text("ascii")
    assert signals == f"{PREEMPT}\n"
