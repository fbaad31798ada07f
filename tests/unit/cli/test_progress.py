"""The bar on a real terminal, with a clock of the test's own; and what is written where there is none."""

import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fabriek.cli.progress import bar
from fabriek.kernel.clock import FakeClock

MEBIBYTE = 2**20
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@contextmanager
def a_terminal(monkeypatch: pytest.MonkeyPatch, *, kind: str = "xterm") -> Iterator[list[str]]:
    """Standard error is one of 100 columns; what was written to it is in the list once it is closed."""
    monkeypatch.setenv("TERM", kind)
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    ours, theirs = os.openpty()
    written: list[str] = []
    taken: list[bytes] = []

    def take() -> None:
        # Linux ends the reading side with an error once nobody has the other one open.
        try:
            while piece := os.read(ours, 65_536):
                taken.append(piece)
        except OSError:
            pass

    taking = threading.Thread(target=take)
    taking.start()
    with open(theirs, "w", encoding="utf-8") as stderr, monkeypatch.context() as patch:  # noqa: PTH123  # a descriptor
        patch.setattr(sys, "stderr", stderr)
        assert stderr.isatty()
        yield written
    taking.join()
    os.close(ours)
    written.append(b"".join(taken).decode())


def frames(text: str) -> list[str]:
    """What the bar looked like, each time that it was drawn."""
    return [line.strip() for line in re.split(r"[\r\n]+", CONTROL.sub("", text)) if line.strip()]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """What the drawing library measures by."""
    made = FakeClock()
    monkeypatch.setattr("rich.console.monotonic", made.monotonic)
    return made


def test_a_terminal_shows_how_much_how_fast_and_how_long_it_will_take(
    monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    with a_terminal(monkeypatch) as written, bar("pushing") as drawn:
        drawn.expect(100 * MEBIBYTE)
        for _ in range(3):
            clock.sleep(1)
            drawn.advance(10 * MEBIBYTE)
        clock.sleep(1)
    last = frames(written[0])[-1]
    assert last.startswith("pushing ")
    # 20 MiB came in the two seconds since the first ten were here, and 70 are left.
    assert last.endswith("30.0/100.0 MiB 10.5 MB/s 0:00:07")


def test_of_what_nobody_knows_the_end_no_time_is_promised(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> None:
    with a_terminal(monkeypatch) as written, bar("pulling") as drawn:
        for _ in range(2):
            clock.sleep(1)
            drawn.advance(10 * MEBIBYTE)
        clock.sleep(1)
    assert frames(written[0])[-1].endswith("20.0/? MiB 10.5 MB/s")


def test_the_bar_is_taken_away_at_the_end_and_after_an_error(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> None:
    def fail() -> None:
        with bar("pushing") as drawn:
            drawn.advance(MEBIBYTE)
            raise ConnectionError("the line broke")

    with a_terminal(monkeypatch) as written, pytest.raises(ConnectionError, match="the line broke"):
        fail()
    assert "1.0/? MiB" in CONTROL.sub("", written[0])
    # The cursor is shown again, and the line that the bar stood on is erased last.
    assert "\x1b[?25h" in written[0]
    assert written[0].endswith("\x1b[2K")


@pytest.mark.parametrize("kind", ["xterm", ""], ids=["piped", "piped, and no kind of terminal"])
def test_where_there_is_no_terminal_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    monkeypatch.setenv("TERM", kind)
    with bar("pushing") as drawn:
        drawn.expect(100)
        drawn.advance(40)
        drawn.advance(60)
    assert capfd.readouterr() == ("", "")
