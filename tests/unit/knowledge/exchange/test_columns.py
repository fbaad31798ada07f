"""Columns are told where their names and types are known, and not guessed elsewhere."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fabriek.knowledge.exchange.columns import COLUMNS_MAX, TEXT_BYTES_MAX, Column, columns_of


def told(path: str, content: bytes) -> dict[str, str]:
    return {one.name: one.type for one in columns_of(path, len(content), lambda start, stop: content[start:stop])}


@pytest.mark.parametrize(
    ("path", "content", "found"),
    [
        ("a.csv", "x,y\n1,2.5\n-3,1e9\n", {"x": "sc:Integer", "y": "sc:Float"}),
        ("a.CSV", "\ufeffx,y\n1,\n,b\n", {"x": "sc:Float", "y": "sc:Text"}),
        ("a.tsv", "x\ty\n2026-01-02\ttrue\n", {"x": "sc:Date", "y": "sc:Boolean"}),
        ("a.csv", "x\n2026-02-30\n", {"x": "sc:Text"}),
        ("a.csv", 'x,y\n"a\nb",1\n\n', {"x": "sc:Text", "y": "sc:Integer"}),
        ("a.csv", "x\n12345678901234567890\n", {"x": "sc:Float"}),
        ("a.csv", "x,y\n", {"x": "sc:Text", "y": "sc:Text"}),
    ],
    ids=range(7),
)
def test_a_type_holds_for_every_cell(path: str, content: str, found: dict[str, str]) -> None:
    assert told(path, content.encode()) == found


@pytest.mark.parametrize(
    "content",
    [
        b"", b"1,2\n3,4\n", b"x,x\n1,2\n", b"x,\n1,2\n", b"x,y\n1\n", b'x,y\n"1,2\n', b"\xff\xfe,y\n1,2\n", b"x\0,y\n1,2\n",
        ",".join(f"c{one}" for one in range(COLUMNS_MAX + 1)).encode() + b"\n",
    ],
    ids=range(9),
)  # fmt: skip
def test_what_is_no_table_with_a_head_has_no_columns(content: bytes) -> None:
    assert told("a.csv", content) == {}


def test_of_a_long_table_the_names_alone_are_told_and_its_head_alone_is_read() -> None:
    content, reads = b"x,y\n" + b"1,2\n" * (TEXT_BYTES_MAX // 4), []

    def read(start: int, stop: int) -> bytes:
        reads.append(stop - start)
        return content[start:stop]

    assert list(columns_of("a.csv", len(content), read)) == [Column("x", "sc:Text"), Column("y", "sc:Text")]
    assert sum(reads) < TEXT_BYTES_MAX // 8


def parquet() -> bytes:
    table = pa.table(
        {"n": pa.array([1, 2]), "f": pa.array([0.5, 1.5]), "t": pa.array(["a", "b"]), "many": pa.array([[1], [2]])}
    )
    kept = io.BytesIO()
    pq.write_table(table, kept)
    return kept.getvalue()


def test_parquet_says_itself_what_it_has() -> None:
    assert told("a.parquet", parquet()) == {"n": "sc:Integer", "f": "sc:Float", "t": "sc:Text"}


@pytest.mark.parametrize("cut", [0, 3, 8, 40])
def test_parquet_that_lies_about_its_end_has_no_columns(cut: int) -> None:
    whole = parquet()
    assert told("a.parquet", whole[:cut]) == {}
    assert told("a.parquet", whole[:-8] + (2**31).to_bytes(4, "little") + b"PAR1") == {}
    assert told("a.parquet", whole[: -8 - cut] + bytes(cut) + whole[-8:]) in ({}, told("a.parquet", whole))
