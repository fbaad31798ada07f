"""Against the crypt4gh package's own commands, both ways."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabriek.kernel.errors import Damaged, InvalidInput
from fabriek.sdk.crypt4gh import (
    BLOCK_BYTES,
    HEADER_BYTES_MAX,
    SEALED_BLOCK_BYTES,
    Container,
    read_public_key,
    read_secret_key,
    sealed,
)

pytest.importorskip("crypt4gh", reason="the crypt4gh package is not installed: its files were not exchanged")

from tests.factories.crypt4gh import Pair, a_pair, edited, opened_by, theirs

SIZES = (0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 5 * BLOCK_BYTES + 77)


def nobody_asks() -> str:
    raise AssertionError("there is no passphrase to ask for")


@pytest.fixture
def mine(tmp_path: Path) -> Pair:
    return a_pair(tmp_path, "mine")


@pytest.fixture
def other(tmp_path: Path) -> Pair:
    return a_pair(tmp_path, "other")


def secret(pair: Pair) -> bytes:
    return read_secret_key(pair.secret, lambda: pair.passphrase)


def a_file(folder: Path, size: int) -> Path:
    file = folder / f"plain-{size}"
    file.write_bytes(os.urandom(size))
    return file


def whole(container: Container) -> bytes:
    return b"".join(container.read(0, container.size))


@pytest.mark.parametrize("size", SIZES)
def test_what_their_command_made_opens_here_whole_and_in_parts(
    tmp_path: Path, mine: Pair, other: Pair, size: int
) -> None:
    plain = a_file(tmp_path, size)
    for sender in (None, other):
        container = Container(theirs(plain, tmp_path / "x.c4gh", other, mine, sender=sender), secret(mine))
        assert (container.size, whole(container)) == (size, plain.read_bytes())
        for offset, length in ((0, 1), (size // 2, 70_000), (BLOCK_BYTES - 1, 2), (size, 5)):
            assert b"".join(container.read(offset, length)) == plain.read_bytes()[offset : offset + length]


@pytest.mark.parametrize("size", SIZES)
def test_what_is_made_here_opens_with_their_command_for_each_recipient(
    tmp_path: Path, mine: Pair, other: Pair, size: int
) -> None:
    plain = a_file(tmp_path, size).read_bytes()
    public = [read_public_key(one.public) for one in (mine, other)]
    pieces = [plain[start : start + 10_000] for start in range(0, size, 10_000)]
    file = tmp_path / "ours.c4gh"
    file.write_bytes(b"".join(sealed(pieces, public, secret(mine))))
    for pair in (mine, other):
        assert opened_by(pair, file, tmp_path / "out", "--sender_pk", str(mine.public)) == plain
    assert whole(Container(file, secret(other))) == plain


def test_a_key_under_a_passphrase_opens_with_it_alone(tmp_path: Path) -> None:
    locked = a_pair(tmp_path, "locked", "open sesame")
    file = theirs(a_file(tmp_path, 100), tmp_path / "x.c4gh", locked)
    assert Container(file, secret(locked)).size == 100
    with pytest.raises(InvalidInput, match="does not open with this passphrase"):
        read_secret_key(locked.secret, lambda: "open barley")


def test_what_is_no_key_is_said_to_be_none(tmp_path: Path, mine: Pair) -> None:
    nothing = tmp_path / "nothing"
    nothing.write_bytes(os.urandom(100))
    for ask in (lambda: read_secret_key(nothing, nobody_asks), lambda: read_public_key(nothing)):
        with pytest.raises(InvalidInput, match="holds no"):
            ask()
    for ask in (lambda: read_secret_key(tmp_path / "gone", nobody_asks), lambda: read_public_key(tmp_path / "gone")):
        with pytest.raises(InvalidInput, match="cannot be read"):
            ask()
    with pytest.raises(InvalidInput, match="holds no"):
        read_secret_key(mine.public, nobody_asks)


def test_a_key_that_it_is_not_for_opens_nothing(tmp_path: Path, mine: Pair, other: Pair) -> None:
    file = theirs(a_file(tmp_path, 100), tmp_path / "x.c4gh", other)
    with pytest.raises(InvalidInput, match="opens none of the 1 packets"):
        Container(file, secret(mine))


@pytest.mark.parametrize("length", [0, 7, 15, 16, 18, 40, 100])
def test_a_header_that_was_cut_is_told(tmp_path: Path, mine: Pair, length: int) -> None:
    file = theirs(a_file(tmp_path, 100), tmp_path / "x.c4gh", mine)
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(InvalidInput, match=r"is not a Crypt4GH file, or its header was cut"):
        Container(file, secret(mine))


def test_a_header_that_claims_to_be_endless_is_not_read_into_memory(tmp_path: Path, mine: Pair) -> None:
    file = tmp_path / "x.c4gh"
    for packets, length in ((1, 2**32 - 1), (2**32 - 1, 4), (2**32 - 1, 1_000_000)):
        body = (length.to_bytes(4, "little") + bytes(min(length, 1_000_000) - 4)) * (8 if length > 4 else 2_000_000)
        file.write_bytes(b"crypt4gh" + (1).to_bytes(4, "little") + packets.to_bytes(4, "little") + body)
        assert file.stat().st_size > HEADER_BYTES_MAX
        with pytest.raises(InvalidInput, match="a header longer than any"):
            Container(file, secret(mine))


@pytest.mark.parametrize("where", ["nonce", "text", "tag", "shifted"])
def test_a_changed_block_is_told_and_nothing_of_it_comes_out(tmp_path: Path, mine: Pair, where: str) -> None:
    plain = a_file(tmp_path, 4 * BLOCK_BYTES).read_bytes()
    file = theirs(tmp_path / f"plain-{len(plain)}", tmp_path / "x.c4gh", mine)
    raw = bytearray(file.read_bytes())
    begin = len(raw) - 4 * SEALED_BLOCK_BYTES
    second = begin + SEALED_BLOCK_BYTES
    if where == "shifted":
        file.write_bytes(raw[:begin] + bytes(40) + raw[begin:])
    else:
        raw[second + {"nonce": 3, "text": 5_000, "tag": SEALED_BLOCK_BYTES - 1}[where]] ^= 1
        file.write_bytes(raw)
    container = Container(file, secret(mine))
    came: list[bytes] = []

    def read() -> None:
        came.extend(container.read(0, container.size))

    with pytest.raises(Damaged, match=r"its block \d does not hold"):
        read()
    assert b"".join(came) == (b"" if where == "shifted" else plain[:BLOCK_BYTES])


def test_blocks_that_changed_places_cannot_be_seen(tmp_path: Path, mine: Pair) -> None:
    """The format binds no block to its place. Said in the manual; what was imported is bound by its manifest."""
    plain = a_file(tmp_path, 2 * BLOCK_BYTES)
    file = theirs(plain, tmp_path / "x.c4gh", mine)
    raw = file.read_bytes()
    file.write_bytes(
        raw[: -2 * SEALED_BLOCK_BYTES] + raw[-SEALED_BLOCK_BYTES:] + raw[-2 * SEALED_BLOCK_BYTES : -SEALED_BLOCK_BYTES]
    )
    body = plain.read_bytes()
    assert whole(Container(file, secret(mine))) == body[BLOCK_BYTES:] + body[:BLOCK_BYTES]


@pytest.mark.parametrize("lost", [1, 16, 28, 29, 5_000])
def test_a_file_that_was_cut_within_a_block_is_refused(tmp_path: Path, mine: Pair, lost: int) -> None:
    file = theirs(a_file(tmp_path, BLOCK_BYTES + 30), tmp_path / "x.c4gh", mine)
    file.write_bytes(file.read_bytes()[:-lost])
    with pytest.raises(Damaged, match="cut"):
        whole(Container(file, secret(mine)))


def test_a_cut_between_blocks_cannot_be_seen_and_that_is_said(tmp_path: Path, mine: Pair) -> None:
    file = theirs(a_file(tmp_path, BLOCK_BYTES + 30), tmp_path / "x.c4gh", mine)
    assert not Container(file, secret(mine)).ends_on_a_border
    file.write_bytes(file.read_bytes()[: -30 - 28])
    container = Container(file, secret(mine))
    assert (container.size, container.ends_on_a_border) == (BLOCK_BYTES, True)


@pytest.mark.parametrize(("start", "end"), [(10, 60), (0, 70_001), (65_000, 200_000), (131_080, 131_100)])
def test_an_edit_list_is_obeyed(tmp_path: Path, mine: Pair, start: int, end: int) -> None:
    plain = a_file(tmp_path, 4 * BLOCK_BYTES)
    file = edited(mine, theirs(plain, tmp_path / "x.c4gh", mine), tmp_path / "cut.c4gh", start, end)
    container = Container(file, secret(mine))
    assert (
        whole(container) == plain.read_bytes()[start : end - 1]
    )  # their command takes one byte less than it is asked for
    assert b"".join(container.read(5, 20)) == plain.read_bytes()[start + 5 : min(start + 25, end - 1)]
    file.write_bytes(file.read_bytes()[: container._begin])
    with pytest.raises(Damaged, match="its end is missing"):
        Container(file, secret(mine))


def test_a_file_that_changes_while_it_is_read_is_told(tmp_path: Path, mine: Pair) -> None:
    file = theirs(a_file(tmp_path, 100), tmp_path / "x.c4gh", mine)
    container = Container(file, secret(mine))
    theirs(a_file(tmp_path, 101), file, mine)
    with pytest.raises((InvalidInput, Damaged)):
        whole(container)


def test_a_stream_leaves_block_by_block(mine: Pair) -> None:
    drawn = 0

    def source() -> Iterator[bytes]:
        nonlocal drawn
        for _ in range(64):
            drawn += 1
            yield bytes(2**20)

    largest = 0
    for piece in sealed(source(), [read_public_key(mine.public)]):
        largest = max(largest, len(piece))
        if drawn == 2:
            break
    assert (drawn, largest) == (2, SEALED_BLOCK_BYTES)


def test_no_key_is_written_into_a_log(tmp_path: Path, mine: Pair, caplog: pytest.LogCaptureFixture) -> None:
    file = theirs(a_file(tmp_path, 100), tmp_path / "x.c4gh", mine)
    with caplog.at_level("DEBUG"):
        whole(Container(file, secret(mine)))
        list(sealed([b"x"], [read_public_key(mine.public)]))
    assert caplog.records == []
