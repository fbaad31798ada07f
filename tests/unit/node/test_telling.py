"""What members say to their leader arrives whole, however it was cut on the way."""

from hypothesis import given
from hypothesis import strategies as st

from fabriek.node.telling import LINE_BYTES_MAX, Listener, Said, Teller


def said(stream: bytes, size: int = 1 << 20) -> list[Said]:
    listener = Listener()
    return [one for at in range(0, len(stream), size) for one in listener.hear(stream[at : at + size])]


@given(st.lists(st.binary(max_size=3_000).map(lambda line: line.replace(b"\n", b"")), max_size=5), st.integers(1, 997))
def test_lines_of_two_members_arrive_as_they_were_said(lines: list[bytes], size: int) -> None:
    spoken: list[bytes] = []
    tellers = [Teller(member, spoken.append) for member in range(2)]
    for line in lines:
        for teller in tellers:
            teller.write(line + b"\n")
    # Pieces of the two come mixed, each member's own in order.
    mine = [[one for one in spoken if one.startswith(b"%d" % member)] for member in range(2)]
    mixed = b"".join(one + other for one, other in zip(*mine, strict=True))
    for member in range(2):
        assert [one.line for one in said(mixed, size) if one.member == member] == lines
    assert all(len(one) <= 1024 for one in spoken)


def test_a_line_without_an_end_is_said_at_the_end() -> None:
    spoken: list[bytes] = []
    teller = Teller(12, spoken.append)
    teller.write(b"the ")
    teller.write(b"end")
    teller.close()
    assert said(b"".join(spoken)) == [Said(12, b"the end")]


def test_a_line_without_bound_is_cut_and_not_held() -> None:
    spoken: list[bytes] = []
    Teller(0, spoken.append).write(b"x" * (LINE_BYTES_MAX + 10))
    assert sum(len(one.line) for one in said(b"".join(spoken))) >= LINE_BYTES_MAX


def test_words_are_told_from_lines_and_what_slurm_adds_or_cuts_is_left_out() -> None:
    spoken: list[bytes] = []
    Teller(1, spoken.append).say(phase="running")
    stream = b"srun: something\n" + b'1={"phase": "ru\n' + b"".join(spoken) + b"1.not = a word\n"
    assert said(stream) == [Said(1, word={"phase": "running"}), Said(1, b"not = a word")]
