"""What a model takes and gives, as its MLmodel file says; read as text, and never more than that."""

import json
from dataclasses import dataclass
from typing import Any

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.fields import read_fields

MLMODEL_FILE = "MLmodel"
MLMODEL_BYTES_MAX = 512_000
COLUMNS_MAX = 500
WORD_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class Column:
    """`kind`: `double`, `string`, or `tensor float32 [-1, 64]`. `name` is empty for a tensor without one."""

    name: str
    kind: str
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Signature:
    inputs: tuple[Column, ...] = ()
    outputs: tuple[Column, ...] = ()
    params: tuple[Column, ...] = ()


def read_signature(mlmodel: str) -> Signature | None:
    """None where the file has none, or none that can be read. MLflow writes each part as JSON within the YAML."""
    try:
        said = read_fields(mlmodel, "MLmodel").get("signature")
    except InvalidInput:
        return None
    if not isinstance(said, dict):
        return None
    parts = {name: _columns(said.get(name)) for name in ("inputs", "outputs", "params")}
    return Signature(**parts) if any(parts.values()) else None


def _columns(part: object) -> tuple[Column, ...]:
    try:
        listed = json.loads(part) if isinstance(part, str) else part
    except (ValueError, RecursionError):
        return ()
    if not isinstance(listed, list):
        return ()
    return tuple(_column(one) for one in listed[:COLUMNS_MAX] if isinstance(one, dict))


def _column(said: dict[str, Any]) -> Column:
    kind = said.get("type") or said.get("dtype") or ""
    tensor = said.get("tensor-spec")
    if kind == "tensor" and isinstance(tensor, dict):
        kind = f"tensor {_word(tensor.get('dtype'))} {_word(tensor.get('shape'))}"
    return Column(_word(said.get("name")), _word(kind), said.get("required") is not False)


def _word(value: object) -> str:
    return "" if value is None else str(value)[:WORD_CHARACTERS_MAX]
