"""A wheel is read without unpacking it, and one that is not what it says is told apart."""

import io
import stat
import zipfile
from collections.abc import Callable

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.packages.sealed import as_file
from fabriek.packages.wheels import Wheel, read_file_name, read_wheel
from tests.factories.wheels import a_wheel, wheel_name


def read(raw: bytes, name: str = wheel_name()) -> Wheel:
    return read_wheel(name, io.BytesIO(raw), len(raw))


def with_entry(path: str, content: bytes = b"x", *, mode: int = 0) -> bytes:
    """A sound wheel with one more entry."""
    packed = io.BytesIO(a_wheel())
    entry = zipfile.ZipInfo(path)
    entry.filename = path  # as a stranger's tool would write it, not as ours tidies it up
    entry.external_attr = mode << 16
    with zipfile.ZipFile(packed, "a") as wheel:
        wheel.writestr(entry, content)
    return packed.getvalue()


def a_bomb() -> bytes:
    packed = io.BytesIO(a_wheel())
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("greeter/data.bin", bytes(64 * 2**20))
    return packed.getvalue()


def encrypted() -> bytes:
    raw = bytearray(with_entry("greeter/secret.py"))
    at = raw.rfind(b"PK\x01\x02")
    while b"greeter/secret.py" not in raw[at : at + 80]:
        at = raw.rfind(b"PK\x01\x02", 0, at)
    raw[at + 8] |= 1
    return bytes(raw)


def test_a_sound_wheel_says_what_it_is() -> None:
    files = {
        "greeter/__init__.py": "", "greeter/_fast.cpython-311-x86_64-linux-gnu.so": b"\x7fELF", "greeter.pth": "import greeter\n",
        "greeter-1.0.data/scripts/greet": "#!python\n",
    }  # fmt: skip
    headers = (
        "Classifier: License :: OSI Approved :: Apache Software License",
        "Requires-Python: >=3.9",
        "Summary: Says hello.",
    )
    wheel = read(a_wheel(files=files, requires=("numpy (>=1)",), headers=headers))
    assert (str(wheel.file.package), wheel.file.tags) == ("greeter==1.0", "py3-none-any")
    assert wheel.metadata.licence == "Apache Software License"
    assert (wheel.metadata.requires, wheel.metadata.requires_python) == (("numpy (>=1)",), ">=3.9")
    assert wheel.lines_at_start == ("greeter.pth",)
    assert wheel.scripts == ("greeter-1.0.data/scripts/greet",)
    assert wheel.native == ("greeter/_fast.cpython-311-x86_64-linux-gnu.so",)
    assert wheel.raw_metadata.startswith(b"Metadata-Version: 2.1\n")


@pytest.mark.parametrize(
    ("headers", "licence"),
    [
        (("License-Expression: MIT", "License: other"), "MIT"),
        (("Classifier: License :: OSI Approved", "License: EUPL-1.2"), "EUPL-1.2"),
        (("Classifier: License :: OSI Approved :: MIT License", "License: the text\n  of it"), "MIT License"),
        (("License: The first line\n        and more",), "The first line"),
        ((), ""),
    ],
)
def test_the_licence_is_the_best_word_that_it_says(headers: tuple[str, ...], licence: str) -> None:
    assert read(a_wheel(headers=headers)).metadata.licence == licence


def test_it_is_read_through_ranges_alone() -> None:
    raw = a_wheel(files={"greeter.py": "x = 1\n" * 100_000})
    asked: list[int] = []

    def part(start: int, stop: int) -> list[bytes]:
        asked.append(stop - start)
        return [raw[start:stop]]

    wheel = read_wheel(wheel_name(), as_file(lambda start, stop: iter(part(start, stop)), len(raw)), len(raw))
    assert wheel.unpacked_bytes > 600_000
    assert max(asked) <= 2**20


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "a path upwards": (lambda: with_entry("../outside.py"), "leads out of it"),
    "a path upwards from within": (lambda: with_entry("greeter/../../outside.py"), "leads out of it"),
    "an absolute path": (lambda: with_entry("/etc/passwd"), "leads out of it"),
    "a path of another system": (lambda: with_entry("greeter\\..\\outside.py"), "leads out of it"),
    "a drive": (lambda: with_entry("c:/outside.py"), "leads out of it"),
    "a path that moves the cursor": (lambda: with_entry("greeter/\x1b[2J.py"), "leads out of it"),
    "a link": (lambda: with_entry("greeter/link", b"/etc/passwd", mode=stat.S_IFLNK | 0o777), "a link"),
    "a device": (lambda: with_entry("greeter/null", mode=stat.S_IFCHR | 0o666), "a device"),
    "a bomb": (a_bomb, "would become"),
    "an encrypted file": (encrypted, "encrypted"),
    "a file that RECORD does not name": (lambda: a_wheel(unlisted={"greeter/extra.py": ""}), "does not stand in its RECORD"),
    "a hash that is another": (lambda: a_wheel(record={"greeter.py": "sha256=" + "A" * 43}), "not what its RECORD says"),
    "a weak hash": (lambda: a_wheel(record={"greeter.py": "md5=xyz"}), "no strong hash"),
    "no hash": (lambda: a_wheel(record={"greeter.py": ""}), "no strong hash"),
    "another name within": (lambda: a_wheel(said={"Name": "numpy"}), "says numpy 1.0"),
    "another version within": (lambda: a_wheel(said={"Version": "2.0"}), "says greeter 2.0"),
    "another package's folder": (lambda: a_wheel("other", "1.0"), "says other 1.0"),
    "no archive": (lambda: b"PK not really", "no archive"),
    "half an archive": (lambda: a_wheel()[:200], "no archive"),
    "nothing": (lambda: b"", "no archive"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_what_is_not_sound_is_refused_and_says_why(kind: str) -> None:
    make, why = BAD[kind]
    with pytest.raises(InvalidInput, match=why):
        read(make())


def test_two_files_of_one_name_are_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        raw = with_entry("greeter.py", b"word = 'other'\n")
    with pytest.raises(InvalidInput, match="one name"):
        read(raw)


def test_no_metadata_is_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as wheel:
        wheel.writestr("greeter-1.0.dist-info/RECORD", "")
    with pytest.raises(InvalidInput, match=r"it has no .*METADATA"):
        read(packed.getvalue())


@pytest.mark.parametrize(
    "name",
    ["greeter-1.0.tar.gz", "../greeter-1.0-py3-none-any.whl", "greeter.whl", "", "a" * 300 + "-1-py3-none-any.whl"],
)
def test_only_a_wheels_name_names_a_wheel(name: str) -> None:
    with pytest.raises(InvalidInput, match="not the name of a wheel"):
        read_file_name(name)


def test_a_build_number_and_a_local_version_belong_to_a_name() -> None:
    named = read_file_name("torch_fork-2.1.0+cu121-2-cp311-cp311-manylinux_2_17_x86_64.whl")
    assert str(named.package) == "torch-fork==2.1.0+cu121"
    assert named.tags == "cp311-cp311-manylinux_2_17_x86_64"
