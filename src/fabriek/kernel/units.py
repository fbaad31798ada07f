"""Amounts: credits in integer micro-units, sizes in bytes, durations in seconds, and how people write them."""

import re
from decimal import ROUND_HALF_EVEN, Decimal, DecimalException

from fabriek.kernel.errors import InvalidInput

MICRO = 1_000_000
"""Micro-units in one unit of a resource: the ledger holds integers only."""

JOULES_PER_KWH = 3_600_000

DIGITS_MAX = 30
"""Of an amount that is read at all: `1e999999` is a million digits long when it is written out."""

_SIZES = {"": 1, "b": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12,
          "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
          "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}  # fmt: skip
_DURATIONS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def micro(amount: str | float | Decimal) -> int:
    """Units → micro-units, exactly. Raises InvalidInput on what is not a number or is finer than a micro-unit."""
    try:
        scaled = Decimal(str(amount)) * MICRO
        if not scaled.is_finite():
            raise InvalidInput(f"{amount} is not an amount", fix="write a number such as 2.5")
        if scaled and scaled.adjusted() > DIGITS_MAX:
            raise InvalidInput(f"{str(amount)[:40]} is beyond what is counted", fix="write a number such as 2.5")
        if scaled != scaled.to_integral_value():
            raise InvalidInput(f"{amount} is finer than a millionth of a unit", fix="round the amount")
    except DecimalException:
        raise InvalidInput(f"{amount!r} is not an amount", fix="write a number such as 2.5") from None
    return int(scaled)


def micro_rounded(amount: Decimal | float) -> int:
    """Units → micro-units, to the nearest, ties to even: for measured use, where exactness is not on offer."""
    return int((Decimal(str(amount)) * MICRO).to_integral_value(ROUND_HALF_EVEN))


def shown(micro_units: int) -> str:
    """Micro-units as a person reads them: 2500000 → `2.5`."""
    text = f"{Decimal(micro_units) / MICRO:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def shown_short(micro_units: int) -> str:
    """The same at a glance, to hundredths and never more than there is: 19999994914 → `19,999.99`. Bills say it whole."""
    return shown(micro_units - micro_units % (MICRO // 100))


def parse_bytes(text: str) -> int:
    """`512MiB` → bytes. Decimal and binary units. Raises InvalidInput."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]*)", text.strip())
    if match is None or match[2].lower() not in _SIZES:
        raise InvalidInput(f"{text!r} is not a size", fix="write it like 512MiB or 4GB")
    return int(Decimal(match[1]) * _SIZES[match[2].lower()])


def parse_seconds(text: str) -> int:
    """`90s`, `30m`, `2h`, `1d`, or a bare number of seconds → seconds. Raises InvalidInput."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.strip().lower())
    if match is None:
        raise InvalidInput(f"{text!r} is not a duration", fix="write it like 90s, 30m, 2h or 1d")
    return int(Decimal(match[1]) * _DURATIONS[match[2] or "s"])


def written_bytes(count: int) -> str:
    """As a person would write it for `parse_bytes`, and nothing rounded: 2147483648 → `2GiB`."""
    unit, size = next(
        (one for one in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)) if count % one[1] == 0), ("B", 1)
    )
    return f"{count // size}{unit}"


def written_seconds(seconds: int) -> str:
    """As a person would write it for `parse_seconds`: 3600 → `1h`."""
    unit, length = next((one for one in (("h", 3600), ("m", 60)) if seconds % one[1] == 0), ("s", 1))
    return f"{seconds // length}{unit}"


def shown_bytes(count: int) -> str:
    """Bytes as a person reads them: 1536 → `1.5 KiB`."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
