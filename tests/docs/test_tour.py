"""The README's tour is run as it stands: a command that is printed there must work."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.factory import clean_environment, why_no_jobs

README = Path(__file__).parents[2] / "README.md"


def tour() -> str:
    """The lines between the two marks, without their fence."""
    text = README.read_text("utf-8").partition("<!-- tour -->")[2].partition("<!-- end of tour -->")[0]
    return "\n".join(line for line in text.splitlines() if not line.startswith("```"))


@pytest.mark.sandbox
def test_the_tour_of_the_readme_works_as_printed(tmp_path: Path) -> None:
    if reason := why_no_jobs():
        pytest.skip(reason)
    bin_folder = Path(sys.executable).parent
    environment = clean_environment(tmp_path / "home") | {
        "FABRIEK_HOME": str(tmp_path / "home"),
        "FABRIEK_PORT": "0",
        "PATH": f"{bin_folder}:/usr/bin:/bin",
    }
    script = "set -e\n" + tour().replace("\nfabriek down", "\ntrue") + "\n"
    try:
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=150,
        )
    finally:
        subprocess.run(
            [bin_folder / "fabriek", "down"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "sum 6" in done.stdout
    assert "consistent" in done.stdout
