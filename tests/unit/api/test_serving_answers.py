"""Counting what passes: however a stream is cut, the same events come out and the same is counted."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.api.serving.answers import EVENT_BYTES_MAX, Events, Garbled, of_whole, usage_of
from fabriek.compute.serving.keys import Answered


def event(**said: object) -> bytes:
    return b"data: " + json.dumps(said).encode() + b"\n\n"


PARTS = [event(choices=[{"delta": {"content": word}}], usage=None) for word in ("é", "\n\n", "data: x")]
USAGE = event(choices=[], usage={"prompt_tokens": 7, "completion_tokens": 3})
DONE = b"data: [DONE]\n\n"
STREAM = b": hello\n\n" + b"".join(PARTS) + USAGE + DONE


@given(st.lists(st.integers(0, len(STREAM)), max_size=12), st.booleans(), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_however_it_is_cut_the_same_events_pass(cuts: list[int], drops: bool, line: bytes) -> None:  # noqa: FBT001  # hypothesis gives them by place
    edges = [0, *sorted(cuts), len(STREAM)]
    events = Events(40, drops)
    seen = b"".join(
        passed for begin, end in pairwise(edges) for passed in events.feed(STREAM[begin:end].replace(b"\n", line))
    )
    wanted = STREAM.replace(USAGE, b"") if drops else STREAM
    assert seen == wanted.replace(b"\n", line)
    assert (events.is_done, events.answered()) == (True, Answered(7, 3))


def test_without_a_usage_each_part_is_a_token() -> None:
    events = Events(40, drops_usage=False)
    assert list(events.feed(b"".join(PARTS))) == PARTS
    assert (events.is_done, events.answered()) == (False, Answered(10, 3))


WRONG = {
    "cut": b"data: {\n\n",
    "list": b"data: []\n\n",
    "number": b"data: 1\n\n",
    "endless": b"x" * (EVENT_BYTES_MAX + 1),
    "deep": b"data: " + b"[" * 99_999 + b"\n\n",
}


@pytest.mark.parametrize("said", WRONG.values(), ids=WRONG.keys())
def test_what_is_no_event_is_garbled(said: bytes) -> None:
    with pytest.raises(Garbled):
        list(Events(1, drops_usage=True).feed(said))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"prompt_tokens": 1, "completion_tokens": 2}, Answered(1, 2)),
        ({"prompt_tokens": 5, "total_tokens": 5}, Answered(5, 0)),
        ({"prompt_tokens": 5, "completion_tokens": None}, Answered(5, 0)),
        ({"prompt_tokens": -1, "completion_tokens": 2}, None),
        ({"prompt_tokens": 10**12, "completion_tokens": 2}, None),
        ({"prompt_tokens": True, "completion_tokens": 2}, None),
        ({"prompt_tokens": "1"}, None),
        ({}, None),
        (None, None),
        ([], None),
    ],
)
def test_only_a_usage_that_can_be_is_believed(said: object, meant: Answered | None) -> None:
    assert usage_of(said) == meant


def test_a_whole_answer_is_an_object() -> None:
    assert of_whole(b'{"usage": {"prompt_tokens": 1, "completion_tokens": 2}}', 99) == Answered(1, 2)
    assert of_whole(b'{"a": 1}', 99) == Answered(25, 2)
    for said in (b"", b"[]", b"{", b"\xff", b"[" * 99_999):
        with pytest.raises(Garbled):
            of_whole(said, 1)
