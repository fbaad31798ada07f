"""Slurm by REST, as far as it can be seen without a cluster: addresses, tokens, what a no means, and what is handed over to the byte."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from pathlib import Path

import pytest

from fabriek.compute.executors.slurm_commands import options_of
from fabriek.compute.executors.slurm_dialect import BatchJob
from fabriek.compute.executors.slurm_errors import DOORS, PASSES, error_of
from fabriek.compute.executors.slurm_rest_jobs import Told, body_of, id_in_accounts, told_of
from fabriek.compute.executors.slurm_restd import Restd
from fabriek.compute.executors.slurm_script import script_of
from fabriek.compute.executors.slurm_tokens import TOKEN_SECONDS, Tokens
from fabriek.kernel.clock import FakeClock
from fabriek.kernel.errors import InvalidInput, Unavailable

GOLDEN = Path(__file__).parents[3] / "golden"

BATCH = BatchJob(
    name="fabriek-job_01-1", script=script_of(("/usr/bin/python3", "-m", "fabriek.node"), Path("/srv/jobs/job_01-1/job.json")), minutes=75,
    cpus=4, memory_mib=2048, output="/srv/jobs/job_01-1/slurm.out", gres="gpu:2", partition="gpu", account="turbines",
)  # fmt: skip


def test_what_slurmrestd_is_given_is_the_golden_file() -> None:
    given = json.dumps(body_of(BATCH), indent=2, sort_keys=True) + "\n"
    assert given == (GOLDEN / "slurm-rest.json").read_text()


def test_an_array_and_kinds_of_gpus_are_asked_for_as_sbatch_asks_for_them() -> None:
    job = body_of(replace(BATCH, tasks=4, gres="gpu:a100:2"))["job"]
    assert (job["array"], job["tres_per_node"]) == ("0-3", "gres/gpu:a100:2")
    assert body_of(replace(BATCH, gres="shard:3"))["job"]["tres_per_node"] == "gres/shard:3"
    words = options_of(replace(BATCH, tasks=4, gres="gpu:a100:2"))
    assert words[words.index("--array") + 1] == "0-3"
    assert words[words.index("--gres") + 1] == "gpu:a100:2"


def test_a_task_is_known_by_its_arrays_id_and_its_number_whatever_slurm_counts_it_by() -> None:
    array = {"array_job_id": {"number": 17}, "name": "fabriek-array-x", "state_reason": "None"}
    task, none = {"set": True, "number": 3}, {"set": False, "number": 0}
    assert told_of(array | {"job_id": 21, "array_task_id": task}) == Told("21", "17_3", "fabriek-array-x", "None")
    assert told_of(array | {"job_id": 17, "array_task_id": none}).id == "17"
    alone = {"job_id": 9, "array_job_id": {"number": 0}, "array_task_id": none, "name": "x"}
    assert told_of(alone) == Told("9", "9", "x", "")
    assert id_in_accounts({"job_id": 21, "array": {"job_id": 17, "task_id": task}}) == "17_3"
    assert id_in_accounts({"job_id": 9, "array": {"job_id": 0, "task_id": none}}) == "9"


def test_what_sbatch_is_given_is_the_golden_file() -> None:
    assert "\n".join(options_of(BATCH)) + "\n" == (GOLDEN / "slurm-sbatch.txt").read_text()
    assert BATCH.script == (GOLDEN / "slurm-script.sh").read_text()


@pytest.mark.parametrize("number", sorted(PASSES))
def test_who_is_away_comes_back(number: int) -> None:
    assert isinstance(error_of(500, _body(number)), Unavailable)


@pytest.mark.parametrize(("status", "number"), [*((500, number) for number in sorted(DOORS)), (511, 1007), (401, 0)])
def test_a_token_that_is_not_taken_is_no_fault_of_the_job(status: int, number: int) -> None:
    error = error_of(status, _body(number) if number else {})
    assert isinstance(error, Unavailable)
    assert "slurm_jwt_key" in error.fix


@pytest.mark.parametrize("number", [2000, 2002, 2014, 2045, 2050, 2072])
def test_what_slurm_refuses_is_told_in_its_words_though_the_status_says_500(number: int) -> None:
    error = error_of(500, _body(number))
    assert isinstance(error, InvalidInput)
    assert error.detail == "Slurm refused: that is not there: Batch job submission failed"


@pytest.mark.parametrize("number", [-1, 1, 11, 111])
def test_a_number_that_is_not_slurms_refuses_nothing(number: int) -> None:
    """Seen while the controller is away: -1 of a question, and 1, `Operation not permitted`, of a signal."""
    assert isinstance(error_of(500, _body(number)), Unavailable)


def test_a_page_that_is_not_slurmrestds_refuses_nothing() -> None:
    assert isinstance(error_of(502, {}), Unavailable)


def test_a_version_that_is_not_spoken_there_is_said() -> None:
    with pytest.raises(InvalidInput, match=r"v0\.0\.42"):
        raise error_of(404, {})


def test_a_token_says_who_until_when_and_is_signed_with_the_key(tmp_path: Path) -> None:
    clock = FakeClock()
    headers = Tokens(_key(tmp_path), "alice", clock).headers()
    head, claims, signature = headers["X-SLURM-USER-TOKEN"].split(".")
    assert json.loads(_plain(head)) == {"alg": "HS256", "typ": "JWT"}
    now = int(clock.now().timestamp())
    assert json.loads(_plain(claims)) == {"iat": now, "exp": now + TOKEN_SECONDS, "sun": "alice"}
    assert _plain(signature) == hmac.digest(b"k" * 32, f"{head}.{claims}".encode(), hashlib.sha256)
    assert headers["X-SLURM-USER-NAME"] == "alice"


@pytest.mark.parametrize("content", [None, b""])
def test_a_key_that_cannot_sign_stops_the_start(tmp_path: Path, content: bytes | None) -> None:
    key = tmp_path / "jwt.key"
    if content is not None:
        key.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"jwt\.key"):
        Tokens(key, "alice", FakeClock())


@pytest.mark.parametrize(
    "address", ["http://slurm.example:6820", "http://10.0.0.3:6820", "slurm.example", "ftp://x", "http://"]
)
def test_no_token_travels_in_plain(address: str) -> None:
    with pytest.raises(InvalidInput, match="slurm_rest"):
        Restd(address, None)


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "http://[::1]:9"])
def test_nobody_at_the_address_is_away_and_its_error_holds_no_token(address: str, tmp_path: Path) -> None:
    tokens = Tokens(_key(tmp_path), "alice", FakeClock())
    with pytest.raises(Unavailable) as caught:
        Restd(address, tokens).ask("GET", "/slurm/v0.0.42/ping/")
    assert tokens.headers()["X-SLURM-USER-TOKEN"] not in repr(
        (caught.value.detail, caught.value.fix, caught.value.fields)
    )


def _body(number: int) -> dict[str, object]:
    return {
        "errors": [{"error_number": number, "error": "that is not there", "description": "Batch job submission failed"}]
    }


def _key(folder: Path) -> Path:
    (folder / "jwt.key").write_bytes(b"k" * 32)
    return folder / "jwt.key"


def _plain(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
