"""Who asks is remembered for a second by their token, and nobody is taken for somebody else."""

import asyncio
import threading

import pytest
from starlette.requests import Request

from fabriek.api.mlflow.appending import REMEMBERED_SECONDS, Remembered
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import FakeClock
from fabriek.kernel.errors import NotAuthenticated


def asking(**headers: str) -> Request:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw, "path_params": {"project": "p"}})


class Door:
    """Answers by what was shown, when everybody has come who is expected."""

    def __init__(self, expected: int = 1) -> None:
        self.asked: list[str] = []
        self._together = threading.Barrier(expected)

    def who(self, request: Request) -> tuple[Caller, str]:
        shown = request.headers.get("authorization") or request.headers.get("cookie", "")
        self.asked.append(shown)
        self._together.wait(timeout=10)
        if shown == "nobody":
            raise NotAuthenticated("no token was sent")
        return Caller(shown, "org"), "p"


@pytest.mark.parametrize("name", ["authorization", "cookie"])
def test_of_two_that_come_at_once_each_is_themselves(name: str) -> None:
    door = Door(expected=2)
    remembered = Remembered(door.who, FakeClock())

    async def both() -> list[str]:
        found = await asyncio.gather(*(remembered.of(asking(**{name: person})) for person in ("anna", "bert")))
        return [caller.person for caller, _ in found]

    assert asyncio.run(both()) == ["anna", "bert"]


def test_one_is_asked_about_once_within_the_second_and_again_after_it() -> None:
    door, clock = Door(), FakeClock()
    remembered = Remembered(door.who, clock)

    async def often() -> None:
        await asyncio.gather(*(remembered.of(asking(authorization="anna")) for _ in range(20)))
        clock.sleep(REMEMBERED_SECONDS)
        await remembered.of(asking(authorization="anna"))

    asyncio.run(often())
    assert door.asked == ["anna", "anna"]


def test_a_refusal_is_not_remembered() -> None:
    door = Door()
    remembered = Remembered(door.who, FakeClock())

    async def twice() -> None:
        for _ in range(2):
            with pytest.raises(NotAuthenticated):
                await remembered.of(asking(authorization="nobody"))

    asyncio.run(twice())
    assert door.asked == ["nobody", "nobody"]
