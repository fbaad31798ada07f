"""The demo's ten steps are a test: what a newcomer is shown must work."""

import re
import subprocess
import sys

import pytest

from fabriek.ops.demo import STEPS
from tests.servers.factory import clean_environment, why_no_jobs


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    if reason := why_no_jobs():
        pytest.skip(reason)
    room = tmp_path_factory.mktemp("demo")
    argv = [sys.executable, "-m", "fabriek.cli", "demo", "--home", str(room), "--no-stay"]
    done = subprocess.run(
        argv, env=clean_environment(room / "home"), capture_output=True, text=True, check=False, timeout=170
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.sandbox
def test_every_step_of_the_demo_runs_to_its_end(told: str) -> None:
    for number, (title, _) in enumerate(STEPS, 1):
        assert re.search(rf"^\s*{number}\s+\d+\.\d s\s+{re.escape(title)}: ", told, re.MULTILINE), title


@pytest.mark.sandbox
def test_the_wrong_ways_are_refused_with_their_rules(told: str) -> None:
    for rule in ("data.take_away", "label.accreditation", "purpose.eu_civilian_only"):
        assert f"[{rule}]" in told
    assert "404 the university reads a dataset it may not know of" in told
    assert "exit 10 a byte changed in the store: damaged" in told


@pytest.mark.sandbox
def test_the_books_sum_to_zero_and_each_person_gets_a_link(told: str) -> None:
    assert "the sum of all entries is zero" in told
    assert len(re.findall(r"http://localhost:\d+/sign-in/\S+", told)) == 5


@pytest.mark.sandbox
def test_the_job_waited_for_power_in_one_sentence(told: str) -> None:
    assert re.search(
        r"\| Waits for power: the limit of \d+ W until (\d{4}-\d\d-\d\d )?\d\d:\d\d leaves \d+ W, this job needs \d+ W\.",
        told,
    )
