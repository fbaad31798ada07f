"""Inputs are copied where they cannot be mounted, unless the operator wants them mounted or not at all."""

from pathlib import Path

import pytest

from fabriek.kernel.errors import Damaged, NotFound, Unavailable
from fabriek.node.inputs import DamagedInput, Opened, Wrong, open_inputs
from fabriek.node.mounts import mounting
from fabriek.node.mounts.serving import Told
from fabriek.node.room import Room
from fabriek.schemas.node import AUTO, COPY, MOUNT, InputSpec, JobSpec
from fabriek.sdk.reading import Reading
from tests.factories.executor import a_spec


class Copies:
    """Inputs that come by either way; of these tests none gets as far as the second."""

    def open(self, spec: InputSpec, into: Path) -> None:
        (into / "file").write_text(spec.grant)

    def reading(self, spec: InputSpec) -> Reading:
        raise NotFound("asked in a process of its own")


def a_job(by: str, *, unsandboxed: bool = False) -> JobSpec:
    return a_spec(inputs=(InputSpec("ds_1", 1, "grt_1", "/data"),), inputs_by=by, unsandboxed=unsandboxed)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    made = Room(tmp_path / "room")
    made.scratch.mkdir()
    made.prepare(None)
    return made


@pytest.mark.parametrize("by", [COPY, AUTO])
def test_a_job_without_walls_reads_a_copy(room: Room, by: str) -> None:
    opened = open_inputs(a_job(by, unsandboxed=True), Copies(), room, None)
    assert [(place.relative_to(room.inputs), inside) for place, inside in opened.mounts] == [(Path("0"), "/data")]
    assert (room.inputs / "0" / "file").read_text() == "grt_1"
    assert opened.end() == Wrong()


def test_where_nothing_can_be_mounted_a_job_reads_a_copy(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounting, "DEVICE", "/dev/nothing")
    open_inputs(a_job(AUTO), Copies(), room, None)
    assert (room.inputs / "0" / "file").exists()


def test_an_operator_who_wants_no_copies_gets_none_and_is_told_why(room: Room) -> None:
    with pytest.raises(Unavailable, match="cannot be mounted here") as refused:
        open_inputs(a_job(MOUNT, unsandboxed=True), Copies(), room, None)
    assert "job_inputs" in refused.value.fix
    assert list((room.inputs / "0").iterdir()) == []


class Shown:
    """Mounts that were read, and what they told of it."""

    def __init__(self, *told: Told) -> None:
        self._told = told

    def end(self) -> tuple[Told, ...]:
        return self._told


def test_what_went_wrong_is_said_once_with_names_in_the_log_alone_that_change_no_terminal() -> None:
    many = Told(["a\x1b[2J", "b", "c", "d", "e"], refused=True)
    specs = (InputSpec("fine", 1, "grt_1", "/fine"), InputSpec("scans", 3, "grt_2", "/data"))
    opened = Opened([(Path("0"), "/fine"), (Path("1"), "/data")], Shown(Told(), many), specs)  # type: ignore[arg-type]
    assert opened.end() == Wrong(
        "the input /data is damaged (scans@3): the log of the job names the files; access to the input /data ended while the job read it",
        "the input /data is damaged: 'a\\x1b[2J', b, c and 2 more",
    )
    assert opened.end() == Wrong()


class Spoilt(Copies):
    """Inputs of which one file does not open."""

    def open(self, spec: InputSpec, into: Path) -> None:
        raise Damaged("canary.csv: its content is not what its version says", where="canary.csv")


def test_a_copy_that_is_damaged_names_no_file_to_whoever_keeps_the_reason(room: Room) -> None:
    with pytest.raises(DamagedInput) as raised:
        open_inputs(a_job(COPY), Spoilt(), room, None)
    assert raised.value.detail == "the input /data is damaged (ds_1@1): the log of the job names the files"
    assert "canary" not in repr(raised.value.fields)
    assert raised.value.wrong.log == "the input /data is damaged: canary.csv: its content is not what its version says"
