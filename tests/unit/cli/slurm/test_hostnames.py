"""Node lists written out as scontrol writes them; what is no list is refused."""

import pytest

from fabriek.cli.slurm import command
from fabriek.cli.slurm.fields import node
from fabriek.cli.slurm.hostnames import hostnames
from fabriek.kernel.errors import InvalidInput
from tests.unit.cli.slurm.test_listing import a_job


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("a[01-03,7]", "a01 a02 a03 a7"), ("a[09-11]", "a09 a10 a11"), ("a[1-2]b[3-4],c", "a1b3 a1b4 a2b3 a2b4 c"),
        ("job-0,job-1", "job-0 job-1"), (",a,,b", "a b"), ("a,a", "a a"), ("", ""),
    ],
)  # fmt: skip
def test_a_list_is_written_out(said: str, names: str) -> None:
    assert list(hostnames(said)) == names.split()


@pytest.mark.parametrize("said", ["a[3-1]", "a[x]", "a[]", "a[1-2", "a]", "a[1-70000]", "a[1,]", "a[[1]]"])
def test_what_is_no_list_is_refused(said: str) -> None:
    with pytest.raises(InvalidInput, match="Invalid hostlist"):
        list(hostnames(said))


def test_scontrol_reads_what_our_own_squeue_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main("scontrol", ["show", "hostnames", node(a_job(nodes=2)), "x[8-9]"]) == 0
    assert command.main("scontrol", ["show", "hostnames"]) == 0
    assert command.main("scontrol", ["show", "hostnames", "x[9-8]"]) == 1
    said = capsys.readouterr()
    assert said.out.split() == ["job-0", "job-1", "x8", "x9", "job"]
    assert said.err.startswith("scontrol: error: Invalid hostlist: x[9-8]")
