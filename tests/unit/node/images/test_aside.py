"""What starts our own interpreter within an image: its loader, told where the machine's libraries are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fabriek.kernel.errors import Unavailable
from fabriek.node.images import aside


def test_the_words_start_this_interpreter_by_the_machines_own_paths() -> None:
    words = [word.replace(aside.ASIDE, "") for word in aside.words_of(sys.executable)]
    ask = "import sys; print(sys.version_info[:2])"
    done = subprocess.run([*words, "-I", "-S", "-c", ask], capture_output=True, text=True, check=True, env={})
    assert done.stdout == f"{sys.version_info[:2]}\n"


def test_every_path_among_them_lies_aside() -> None:
    paths = [one for word in aside.words_of(sys.executable) for one in word.split(":") if word.startswith("/")]
    assert paths
    assert all(one.startswith(f"{aside.ASIDE}/") for one in paths)


def test_a_program_names_its_loader_and_a_script_has_none(tmp_path: Path) -> None:
    assert os.access(aside.loader_of(Path(os.path.realpath(sys.executable))), os.X_OK)
    (tmp_path / "script").write_text("#!/bin/sh\n")
    assert aside.loader_of(tmp_path / "script") == ""
    assert aside.words_of(str(tmp_path / "script")) == (f"{aside.ASIDE}{tmp_path}/script",)


def test_an_interpreter_whose_libraries_are_not_to_be_found_is_unavailable(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_bytes(Path(os.path.realpath(sys.executable)).read_bytes()[:8_192])
    with pytest.raises(Unavailable, match="libraries"):
        aside.words_of(str(broken))
