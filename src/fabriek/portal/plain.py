"""Days and whole numbers as they come out of a form's fields."""

import re
from datetime import date

from fabriek.kernel.errors import InvalidInput


def day_of(text: str, what: str) -> date:
    """Raises InvalidInput on what is no day."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInput(f"{what}: {text[:40]!r} is no day", fix="choose one, or write it as 2027-02-01") from None


def whole_of(text: str, what: str) -> int:
    """Raises InvalidInput on what is no whole number."""
    if not re.fullmatch(r"[0-9]{1,9}", text.strip(), re.ASCII):
        raise InvalidInput(f"{what}: {text[:40]!r} is no whole number", fix="write digits alone")
    return int(text)
