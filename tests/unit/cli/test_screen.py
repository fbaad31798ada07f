"""What of a job's output reaches a terminal."""

import io

import pytest

from fabriek.cli.screen import Screen, taker


def shown(*pieces: bytes) -> bytes:
    out = io.BytesIO()
    screen = Screen(out)
    for piece in pieces:
        screen.write(piece)
    return out.getvalue()


@pytest.mark.parametrize(
    "said",
    [b"plain\ttext\r\n", b"\x1b[1;31mred\x1b[0m", b"\r 40%\x1b[K", "één · 水".encode(), b"50%\b\b\b60%"],
    ids=str,
)
def test_text_colours_and_progress_bars_stay_as_they_are(said: bytes) -> None:
    assert shown(said) == said


@pytest.mark.parametrize(
    "said",
    [
        b"\x1b]0;renamed\x07", b"\x1b]52;c;cm0gLXJm\x07", b"\x1b[6n", b"\x1b[2J", b"\x1b[10A", b"\x1bP$q\x1b\\", b"\x1b[?1049h", b"\x1bc",
        b"\x00", b"\x7f", b"\x0e", "\x9b6n".encode(), "\x9d0;x\x9c".encode(), b"\x1b[" + b"1;" * 40 + b"m",
    ],
    ids=repr,
)  # fmt: skip
def test_words_to_the_terminal_are_made_visible_and_harmless(said: bytes) -> None:
    for pieces in ([said], [said[:1], said[1:]], [bytes([one]) for one in said]):
        seen = shown(*pieces, b" end")
        assert b"\x1b" not in seen
        assert not any(0x80 <= ord(char) < 0xA0 or (ord(char) < 32) for char in seen.decode())
        assert seen.endswith(b" end")


def test_a_colour_that_comes_in_two_pieces_stays_a_colour() -> None:
    assert shown(b"a\x1b[3", b"1mb") == b"a\x1b[31mb"


def test_a_program_gets_every_byte_as_it_was(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("out") / "file"
    with file.open("w") as stream:
        taker(stream).write(b"\x1b]0;x\x07\xff")
    assert file.read_bytes() == b"\x1b]0;x\x07\xff"
