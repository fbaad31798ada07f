"""`sacct --json`: one document, read a job at a time, in the shapes of Slurm 22.05 and 24.11."""

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.foreign import RefusedLine
from fabriek.sdk.accounts.fields import OVER, WAITING, Read, Skipped, checked, gpus_of, state_of

READ_BYTES = 256 * 1024
JOB_CHARACTERS_MAX = 32 * 2**20
"""A job with hundreds of thousands of steps has this many; more is not a dump."""

_JOBS = re.compile(r'"jobs"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")


def read(source: BinaryIO) -> Iterator[Read]:
    """Every job; its `line` is its place in the list, from 1 on. Raises InvalidInput where it is not JSON, or breaks off."""
    for number, job in enumerate(_objects(source), 1):
        try:
            yield _job(number, job)
        except (ValueError, OverflowError, OSError) as error:
            yield RefusedLine(line=number, reason=str(error) or "it holds a number that is none")
        except (KeyError, TypeError, AttributeError):
            yield RefusedLine(line=number, reason="it is not a job as sacct --json writes it")


def _objects(source: BinaryIO) -> Iterator[Any]:
    decode, decoder = codecs.getincrementaldecoder("utf-8")("replace").decode, json.JSONDecoder()
    text, found = "", None
    while found is None:
        part = source.read(READ_BYTES)
        text = text[-20:] + decode(part)
        found = _JOBS.search(text)
        if not part and found is None:
            raise InvalidInput("the dump holds no list of jobs", fix="sacct --allusers --json > dump.json")
    text, done = text[found.end() :], 0
    while True:
        begin = _BETWEEN.match(text)
        text = text[begin.end() :] if begin else text
        if text.startswith("]"):
            while source.read(READ_BYTES):  # to its end, so that its hash is the file's
                pass
            return
        try:
            job, end = decoder.raw_decode(text)
        except json.JSONDecodeError:
            part = source.read(READ_BYTES)
            if not part or len(text) > JOB_CHARACTERS_MAX:
                raise InvalidInput(
                    f"the dump breaks off or is not JSON behind job {done}", fix="make it again, and import it again"
                ) from None
            text += decode(part)
            continue
        text, done = text[end:], done + 1
        yield job


def _job(number: int, said: Mapping[str, Any]) -> Read:
    state, times = _state(said["state"]["current"]), said["time"]
    start, elapsed = _number(times["start"]), _number(times["elapsed"])
    if state in WAITING or not elapsed or not start:
        return Skipped()
    counts = {_tres(one): _number(one["count"]) for one in said["tres"]["allocated"]}
    array, het = said.get("array") or {}, said.get("het") or {}
    job, task = _number(said["job_id"]), ""
    if _number(array.get("job_id")):
        job, task = _number(array["job_id"]), str(_number(array.get("task_id")))
    elif _number(het.get("job_id")):
        job, task = _number(het["job_id"]), f"+{_number(het.get('job_offset'))}"
    return checked(
        number, cluster=said["cluster"], job=str(job), task=task, started_at=datetime.fromtimestamp(start, UTC), account=said["account"],
        state=state, elapsed_seconds=elapsed, gpus=gpus_of(counts.items()), cpus=counts.get("cpu", 0), is_over=state in OVER,
    )  # fmt: skip


def _state(current: Any) -> str:
    """A word in 22.05; in 24.11 a list of words, the state first and flags behind it."""
    return state_of(str(current[0] if isinstance(current, list) else current))


def _number(value: Any) -> int:
    """A plain number, or since 23.02 one with `set` and `infinite` beside it; 0 for none."""
    if isinstance(value, Mapping):
        value = value["number"] if value.get("set") and not value.get("infinite") else 0
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(value)
    return value


def _tres(one: Mapping[str, Any]) -> str:
    return f"{one['type']}/{one['name']}" if one.get("name") else str(one["type"])
