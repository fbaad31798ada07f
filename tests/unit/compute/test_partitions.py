"""Nodes that are kept for some jobs: who may stand where, and files that make no sense."""

from dataclasses import replace

import pytest

from fabriek.compute.admission import admit
from fabriek.compute.capacity import Capacity
from fabriek.compute.contenders import Waiting
from fabriek.compute.partitions import NOWHERE, names_for, nodes_for, partitions_of
from fabriek.kernel.errors import InvalidInput, NotPermitted
from tests.factories.compute import GIB, NOON, a_shape, a_snapshot

TEXT = """
[[partition]]
name = "sealed"
nodes = "0, 2-3"
labels = ["personal"]
[[partition]]
name = "civil"
nodes = "1"
purposes = ["civilian"]
"""
LABELS = ("open", "personal")


def test_a_job_may_stand_where_its_label_and_purpose_are_taken_and_where_nobody_asks() -> None:
    found = partitions_of(TEXT, nodes=5, labels=LABELS)
    assert nodes_for(found, 5, "personal", "civilian") == ()
    assert nodes_for(found, 5, "open", "civilian") == (1, 4)
    assert nodes_for(found, 5, "open", "dual_use") == (4,)
    assert names_for(found, "personal", "civilian") == "sealed,civil"
    assert (names_for(found, "open", "dual_use"), names_for((), "open", "civilian")) == ("", "")
    with pytest.raises(NotPermitted) as refused:
        nodes_for(found, 4, "open", "dual_use")
    assert refused.value.fields["rule"] == "partition"


@pytest.mark.parametrize("text", [
    "[[partition", "partition = 3", "[partitions]\nx = 1", "[[partition]]\nnodes = '0'", "[[partition]]\nname = 'A B'\nnodes = '0'",
    "[[partition]]\nname = 'a'\nnodes = '0-9'", "[[partition]]\nname = 'a'\nnodes = 'x'", "[[partition]]\nname = 'a'\nnodes = 3",
    "[[partition]]\nname = 'a'\nnodes = '3-1'", "[[partition]]\nname = 'a'\nnodes = '0'\nlabels = ['secret']",
    "[[partition]]\nname = 'a'\nnodes = '0'\nlabels = 'open'", "[[partition]]\nname = 'a'\nnodes = '0'\npurposes = ['fun']",
    "[[partition]]\nname = 'a'\nnodes = '0'\ncolour = 'red'", "[[partition]]\nname = 'a'\nnodes = '0'\n[[partition]]\nname = 'a'\nnodes = '1'",
    "[[partition]]\nname = 'a'\nnodes = '0-1'\n[[partition]]\nname = 'b'\nnodes = '1'",
])  # fmt: skip
def test_a_file_that_makes_no_sense_is_refused_with_one_that_does(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        partitions_of(text, nodes=4, labels=LABELS)
    assert refused.value.fix


def test_a_job_waits_for_its_own_nodes_while_others_stand_empty() -> None:
    capacity = Capacity(8, 0, 64 * GIB, nodes=4)

    def asks(job: str, among: tuple[int, ...]) -> Waiting:
        return Waiting(job, "shr_1", replace(a_shape(cpus=2), among=among), NOON)

    queued = [asks("job_1", (2,)), asks("job_2", (2,)), asks("job_3", (0, 1)), asks("job_4", NOWHERE)]
    told = {one.job: one for one in admit(a_snapshot(*queued, capacity=capacity), NOON)}
    assert [told[job].starts for job in ("job_1", "job_2", "job_3", "job_4")] == [True, False, True, False]
    placed = told["job_1"].placed
    assert placed is not None
    assert placed.nodes == (2,)
    assert told["job_2"].reason == (
        "Waits for room: no node of the 1 that take such jobs has 2 CPUs, 1.0 GiB of memory free together; room is expected at 13:00."
    )
    assert told["job_4"].code == "too_big"
