"""Options as Slurm writes them, in a script, on the line and in variables; what is hostile stays a word or is refused."""

import pytest

from fabriek.cli.slurm.options import bytes_of, directives, from_variables, seconds_of
from fabriek.cli.slurm.sbatch import KNOWN, asked_of
from fabriek.cli.slurm.srun import KNOWN as OF_SRUN
from fabriek.kernel.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 1_800), ("1:30", 90), ("01:00:00", 3_600), ("1-0", 86_400), ("2-03:04", 183_840), ("1-00:00:01", 86_401)],
)
def test_times_are_read_as_sbatch_reads_them(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    ("text", "mebibytes"), [("512", 512), ("4G", 4096), ("1GB", 1024), ("1gib", 1024), ("2T", 2_097_152)]
)
def test_sizes_are_binary_and_mebibytes_without_a_unit(text: str, mebibytes: int) -> None:
    assert bytes_of(text) == mebibytes * 2**20


@pytest.mark.parametrize("text", ["", "a", "1:2:3:4", "-1", "1-", "1;2", "$(id)", "1 2"])
def test_what_is_no_time_and_no_size_is_refused(text: str) -> None:
    for read in (seconds_of, bytes_of):
        with pytest.raises(InvalidInput):
            read(text)


def test_directives_end_at_the_first_command_and_keep_their_quotes() -> None:
    script = "#!/bin/sh\n#SBATCH -J 'a b' --mem=1G # why\n#\n#SBATCHx\n\n#SBATCH\t-n 2\necho\n#SBATCH --gpus=9\n"
    assert directives(script) == ["-J", "a b", "--mem=1G", "-n", "2"]
    with pytest.raises(InvalidInput, match="line 2"):
        directives("#!/bin/sh\n#SBATCH -J 'a\n")


def test_the_line_goes_before_the_script_and_that_before_variables() -> None:
    variables = from_variables(
        {"SBATCH_TIMELIMIT": "5", "SBATCH_NETWORK": "host", "SBATCH_OTHER": "x"}, ("time", "network")
    )
    assert variables == {"time": "5", "network": "host"}
    script, _ = KNOWN.read(directives("#!/bin/sh\n#SBATCH --time=7 -J one\n"))
    assert (variables | script | KNOWN.read(["-J", "two", "x.sh"])[0])["time"] == "7"


def test_what_clients_ask_becomes_a_job() -> None:
    options, rest = KNOWN.read(
        ["--parsable", "--ntasks-per-node=2", "-c", "3", "--mem", "4G", "--array=0-9%2", "--signal=USR2@90", "--gpus-per-node=a100:2",
         "-d", "afterok:17,afterany:18", "--open-mode=append", "--wckey=submitit", "-N1", "run.sh", "--mem", "9"]
    )  # fmt: skip
    assert rest == ["run.sh", "--mem", "9"]
    asked = asked_of(options, "/ws/p")
    assert (asked["cpus"], asked["tasks"], asked["gpus"], asked["memory_bytes"]) == (6, 2, "a100:2", 4 * 2**30)
    assert (asked["array"], asked["signal"], asked["after"]) == (
        "0-9%2",
        "steps:USR2@90",
        ["afterok:17", "afterany:18"],
    )
    assert asked["folder"] == "/ws/p"


def test_a_signal_for_the_script_itself_is_told_apart() -> None:
    assert asked_of({"signal": "B:USR1@30"}, "")["signal"] == "USR1@30"
    assert asked_of({"signal": "SIGUSR1"}, "")["signal"] == "steps:USR1@60"


def test_of_the_askers_variables_only_those_named_go_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "s")
    monkeypatch.setenv("SEED", "4")
    assert asked_of({"export": "ALL"}, "")["environment"] == {}
    assert asked_of({"export": "ALL,SEED,DEPTH=3,ABSENT"}, "")["environment"] == {"SEED": "4", "DEPTH": "3"}


@pytest.mark.parametrize(
    "options",
    [
        {"nodes": "0"},
        {"nodes": "2", "ntasks": "3"},
        {"nodes": "2", "gpus": "3"},
        {"ntasks": "two"},
        {"dependency": "afterok:1?afterok:2"},
        {"gres": "fpga:1"},
        {"mem": "lots"},
    ],
)
def test_what_this_machine_cannot_do_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        asked_of(options, "")


@pytest.mark.parametrize("word", ["--no-such", "-y", "--mem", "--uid=0"])
def test_unknown_options_and_those_of_other_users_are_refused(word: str) -> None:
    for known in (KNOWN, OF_SRUN):
        with pytest.raises(InvalidInput):
            known.read([word])


@pytest.mark.parametrize(
    ("options", "gpus"),
    [
        ({"gres": "gpu"}, "1"), ({"gres": "gpu:a100"}, "a100:1"), ({"gres": "gpu:2"}, "2"), ({"gres": "gpu:h100:2"}, "h100:2"),
        ({"gpus": "4", "nodes": "2"}, "2"), ({"gpus": "a100:4", "nodes": "2-3"}, "a100:2"), ({"gpus-per-node": "0.25"}, "0.25"),
        ({"gpus-per-task": "1", "ntasks": "4", "nodes": "2"}, "2"), ({"gres": "none"}, "0"), ({}, "0"),
    ],
)  # fmt: skip
def test_gpus_are_asked_for_in_any_of_slurms_ways(options: dict[str, str], gpus: str) -> None:
    assert asked_of(options, "")["gpus"] == gpus


def test_a_batch_script_on_several_nodes_runs_once_and_shares_its_tasks_out() -> None:
    asked = asked_of({"nodes": "2", "ntasks": "8", "cpus-per-task": "3", "mem": "4G"}, "")
    assert (asked["nodes"], asked["tasks"], asked["cpus"], asked["batch"]) == (2, 4, 12, True)
    assert asked["memory_bytes"] == 4 * 2**30
