"""The languages in which everything is said to people, and texts that are there in each."""

from collections.abc import Mapping
from typing import Any

LANGUAGES = ("en", "nl")

Words = Mapping[str, str]
"""Language → text."""


def read_words(said: Any) -> Words:
    """A text of a data file, in every language. Raises ValueError where one is missing, or another is there."""
    if not isinstance(said, dict) or set(said) != set(LANGUAGES):
        raise ValueError(f"a text is there in {' and '.join(LANGUAGES)}")
    if not all(isinstance(one, str) and one for one in said.values()):
        raise ValueError(f"a text is there in {' and '.join(LANGUAGES)}")
    return dict(said)
