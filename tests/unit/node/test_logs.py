"""A job's output is kept up to a bound, and what its last lines say is understood."""

from pathlib import Path

import pytest

from fabriek.node.logs import Log, LogFile


def test_the_head_is_kept_and_the_rest_is_counted(tmp_path: Path) -> None:
    log = Log(LogFile(tmp_path / "log"), 5)
    for piece in (b"abc", b"defg", b"hi"):
        log.add(piece)
    log.finish()
    assert log.dropped == 4
    assert (tmp_path / "log").read_bytes() == b"abcde\n[fabriek: 4 more bytes were written and not kept]\n"
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_a_log_within_its_bound_has_nothing_added(tmp_path: Path) -> None:
    log = Log(LogFile(tmp_path / "log"), 5)
    log.add(b"abcde")
    log.finish()
    assert (tmp_path / "log").read_bytes() == b"abcde"


@pytest.mark.parametrize(
    ("said", "module"),
    [
        (b"Traceback\nModuleNotFoundError: No module named 'torch.nn'\n", "torch.nn"),
        (b"ModuleNotFoundError: No module named '<script>'\n", ""),
        (b"all well\n", ""),
    ],
)
def test_a_missing_module_is_recognised_also_beyond_the_bound(tmp_path: Path, said: bytes, module: str) -> None:
    log = Log(LogFile(tmp_path / "log"), 3)
    log.add(said)
    log.finish()
    assert log.missing_module() == module
