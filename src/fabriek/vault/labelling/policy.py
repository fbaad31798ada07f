"""The label policy: the lattice as a TOML file says it, ours or the operator's own."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from fabriek.kernel.dated import read_rows, shipped
from fabriek.kernel.errors import InvalidInput
from fabriek.vault.labelling.labels import Label, Labels, Retired

WORDS = frozenset({"name", "source", "valid_from"})
LISTS = ("above", "aliases", "places")


def read_labels(text: str) -> Labels:
    """The lattice of a TOML text, each label after those below it; its `[[retired]]` words are those of older schemes."""
    labels = read_rows(text, "label", _label)
    retired = read_rows(text, "retired", _retired) if "[[retired]]" in text else ()
    return Labels(labels, retired)


def shipped_labels() -> Labels:
    """The lattice that comes with Fabriek."""
    return read_labels(shipped("fabriek.vault", "labels.toml"))


def labels_of(file: Path | None) -> Labels:
    """The operator's lattice, or ours where there is none. Raises InvalidInput, naming the file, on one that is no lattice."""
    if file is None:
        return shipped_labels()
    try:
        return read_labels(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the labels in {file} cannot be read: {error}", fix="mend the setting labels") from None
    except InvalidInput as error:
        raise InvalidInput(f"{file}: {error.detail}", fix=error.fix) from None


def _label(row: Mapping[str, Any]) -> Label:
    known = {field.name: field for field in fields(Label)}
    for name in row.keys() - WORDS:
        if name not in known:
            raise InvalidInput(
                f"the label {row['name']!r} has a field that no label has: {name}", fix="mend labels.toml"
            )
        kind = list if name in LISTS else str if name == "training" else bool
        if not isinstance(row[name], kind) or (kind is list and not all(isinstance(one, str) for one in row[name])):
            raise InvalidInput(f"{name} of the label {row['name']!r} cannot be that", fix="mend labels.toml")
    said: dict[str, Any] = {name: tuple(row[name]) if name in LISTS else row[name] for name in row.keys() - WORDS}
    return Label(name=row["name"], **said)


def _retired(row: Mapping[str, Any]) -> Retired:
    return Retired(row["name"], row["now"], row["scheme"], row["successor"])
