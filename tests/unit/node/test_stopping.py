"""What a job is told before its end, and when."""

import signal
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.kernel.clock import FakeClock
from fabriek.node import stopping
from fabriek.node.limits.rlimits import make_without_walls
from fabriek.node.stopping import Stopping
from fabriek.schemas.node import EXTEND, PREEMPT, SIGNAL_FILE
from tests.factories.executor import a_spec


class Ears:
    """The first process of a tree that hears all."""

    info = -1

    def __init__(self) -> None:
        self.heard: list[int] = []

    def hear(self) -> bool:
        return False

    def tell(self, number: int) -> bool:
        self.heard.append(number)
        return True

    def end(self) -> None:
        """There is no tree."""

    def close(self) -> None:
        """Nothing is held."""


class Watched:
    """A job of a hundred seconds that wants its signal ten before its end, on a clock that is wound by hand."""

    def __init__(self, folder: Path, process: "subprocess.Popen[bytes]", clock: FakeClock) -> None:
        self._process, self._clock, self._words = process, clock, folder / SIGNAL_FILE
        spec = a_spec(
            "sleep", "600", wall_seconds_max=100, signal="USR1", signal_seconds=10, folder=str(folder), scratch=str(folder)
        )  # fmt: skip
        self.ears, self.stopping = Ears(), Stopping(spec, make_without_walls(spec))

    def say(self, word: str) -> None:
        with self._words.open("a", encoding="ascii") as out:
            out.write(f"{word}\n")

    def heard_after(self, seconds: int) -> list[int]:
        """All that it heard once so many more seconds have gone by, each of them looked at."""
        for _ in range(seconds):
            self._clock.move(timedelta(seconds=1))
            self.stopping.look(self._process, self.ears)
        return self.ears.heard


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    clock = FakeClock()
    monkeypatch.setattr(stopping, "time", clock)
    with subprocess.Popen(["sleep", "600"]) as process:
        yield Watched(tmp_path, process, clock)
        process.kill()


def test_the_signal_comes_once_before_the_end(watched: Watched) -> None:
    assert watched.heard_after(89) == []
    assert watched.heard_after(10) == [signal.SIGUSR1]
    assert watched.heard_after(1) == [signal.SIGUSR1, signal.SIGTERM]
    assert watched.stopping.reason == "the time limit of 100 s was reached"


def test_one_that_is_given_more_time_hears_its_signal_before_the_new_end(watched: Watched) -> None:
    watched.say(f"{EXTEND}300")
    assert watched.heard_after(289) == []
    assert watched.heard_after(10) == [signal.SIGUSR1]
    assert watched.heard_after(1) == [signal.SIGUSR1, signal.SIGTERM]
    assert watched.stopping.reason == "the time limit of 300 s was reached"


def test_one_that_has_heard_it_already_hears_it_before_the_new_end_too(watched: Watched) -> None:
    assert watched.heard_after(95) == [signal.SIGUSR1]
    for _ in range(2):  # a server that starts again says it again
        watched.say(f"{EXTEND}200")
    assert watched.heard_after(94) == [signal.SIGUSR1]
    assert watched.heard_after(1) == [signal.SIGUSR1] * 2
    watched.say(f"{EXTEND}200")
    assert watched.heard_after(9) == [signal.SIGUSR1] * 2


def test_one_that_makes_room_for_another_goes_however_much_time_it_has(watched: Watched) -> None:
    watched.say(PREEMPT)
    watched.say(f"{EXTEND}300")
    assert watched.heard_after(10) == [signal.SIGUSR1]
    assert watched.heard_after(1) == [signal.SIGUSR1, signal.SIGTERM]
    assert watched.stopping.again
