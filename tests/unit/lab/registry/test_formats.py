"""What a model's files are, by their bytes: nothing that could run passes for data, under whatever name, and nothing is run to find out."""

import gzip
import io
import json
import pickle
from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression

from fabriek.lab.registry.archives import zip_kind
from fabriek.lab.registry.formats import KINDS, Format, Mark, format_of, kind_of, worst
from fabriek.lab.registry.pickles import may_be_pickle
from tests.factories.models import Held, onnx, safetensors, trapped, zipped

DATA, UNKNOWN, CODE = Mark.DATA, Mark.UNKNOWN, Mark.CODE


def found(name: str, content: bytes) -> Format:
    return format_of(name, kind_of(Held(content), zip_kind))


def saved(array: object) -> bytes:
    held = io.BytesIO()
    np.save(held, array, allow_pickle=True)  # type: ignore[arg-type]  # any object, pickled
    return held.getvalue()


def dumped(thing: object, **how: object) -> bytes:
    held = io.BytesIO()
    joblib.dump(thing, held, **how)
    return held.getvalue()


def name_only(value: object) -> str:
    """Of what a test is called: bytes of a megabyte are no name."""
    return value if isinstance(value, str) else "bytes"


@pytest.mark.parametrize(
    ("name", "content", "is_named"),
    [
        ("model.safetensors", safetensors(format="pt"), "safetensors"),
        ("model.onnx", onnx(), "ONNX"),
        ("model.gguf", b"GGUF\x03\0\0\0" + bytes(24), "GGUF"),
        ("weights.npy", saved(np.zeros(3)), "NumPy"),
        ("weights.npz", zipped(a__npy=saved(np.zeros(3))), "NumPy"),
        ("MLmodel", b"artifact_path: model\nflavors: {}\n", "text"),
        ("input_example.json", b'{"columns": [0, 1]}', "JSON"),
        ("vocab.txt", b"[PAD]\n[UNK]\nthe\ncat\nsat\n", "text"),
        ("README.md", "Een kaart: één model.\n".encode(), "text"),
        ("requirements.txt", b"scikit-learn==1.9.1\n", "text"),
        ("model.cbm", b"CBM1" + bytes(20), "CatBoost"),
        ("curve.png", b"\x89PNG\r\n\x1a\n" + bytes(20), "picture"),
        ("nothing.txt", b"", "empty"),
    ],
    ids=name_only,
)
def test_what_is_only_read_is_data(name: str, content: bytes, is_named: str) -> None:
    assert found(name, content) == Format(is_named, DATA)


def test_what_skops_writes_is_data_with_sparse_arrays_too() -> None:
    import skops.io  # noqa: PLC0415  # looks through all of scikit-learn: no other worker should wait for it

    fitted = LinearRegression().fit(np.zeros((3, 2)), np.zeros(3))
    assert found("model.skops", skops.io.dumps(fitted)) == Format("skops", DATA)
    sparse = CountVectorizer().fit_transform(["one word", "another word"])
    assert found("words.skops", skops.io.dumps(sparse)) == Format("skops", DATA)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "name", ["model.pkl", "model.safetensors", "model.onnx", "model.gguf", "model.skops", "config.json", "README.md", "weights.bin", "MLmodel"]
)  # fmt: skip
def test_a_pickle_is_code_under_any_name_and_does_not_run(tmp_path: Path, name: str, protocol: int) -> None:
    sprung = tmp_path / "sprung"
    content = trapped(sprung, protocol)
    assert found(name, content).mark is CODE
    assert not sprung.exists()
    pickle.loads(content).close()  # noqa: S301  # what nobody should do: the trap is a real one
    assert sprung.exists(), "the trap would have sprung"


def test_a_pickle_is_code_in_whatever_it_is_wrapped(tmp_path: Path) -> None:
    trap = trapped(tmp_path / "sprung")
    fitted = LinearRegression().fit(np.zeros((3, 2)), np.zeros(3))
    for name, content in {
        "model.joblib": dumped(fitted),
        "small.bin": dumped(fitted, compress=3),
        "zipped.bin": gzip.compress(trap),
        "model.pt": zipped(archive___data__pkl=trap, archive___data___0=bytes(8)),
        "pytorch_model.bin": zipped(x___data__pkl=trap),
        "model.skops": zipped(schema__json=b"{}", extra=trap),
        "objects.npy": saved(np.array([fitted], dtype=object)),
        "objects.npz": zipped(a__npy=saved(np.array([{}], dtype=object))),
        "both.skops": trap + zipped(schema__json=b"{}"),
    }.items():
        assert found(name, content).mark is CODE, name
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.py", b"print()\n"),
        ("code/loader.py", b""),
        ("model.h5", b"\x89HDF\r\n\x1a\n" + bytes(100)),
        ("weights.dat", b"\x89HDF\r\n\x1a\n" + bytes(100)),
        (
            "model.bin",
            zipped(config__json=b'{"class_name": "Functional"}', metadata__json=b"{}", model__weights__h5=b""),
        ),
        ("model.keras", b"anything"),
        ("saved_model.pb", b"\x08\x01"),
        ("run", b"#!/bin/sh\n"),
        ("lib", b"\x7fELF" + bytes(60)),
        ("notebook.ipynb", b"{}"),
        ("conf.yaml", b"model: !!python/object/apply:os.system [ls]\n"),
        ("plugin", zipped(a__py=b"x = 1")),
        ("model.PKL", b"[1, 2]"),
    ],
    ids=name_only,
)
def test_what_runs_is_code(name: str, content: bytes) -> None:
    assert found(name, content).mark is CODE


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.safetensors", b"some text"),
        ("model.safetensors", safetensors() + b"more than it says"),
        ("model.safetensors", b"\xff" * 64),
        ("model.onnx", b"{}"),
        ("model.onnx", onnx() + b"\xff"),
        ("model.gguf", b"GGUF\x09\0\0\0"),
        ("model.skops", zipped(a__txt=b"text")),
        ("config.json", b"a: 1"),
        ("mystery.bin", bytes(range(256))),
        ("packed.tar", bytes(257) + b"ustar" + bytes(300)),
        ("cut.zip", zipped(a__npy=saved(np.zeros(3)))[:40]),
        ("many.npz", zipped(**{f"m{number}__npy": b"" for number in range(5_001)})),
        ("text.gz", gzip.compress(b"text")),
    ],
    ids=name_only,
)
def test_what_is_not_what_it_is_called_or_nothing_that_we_know_is_unknown(name: str, content: bytes) -> None:
    assert found(name, content).mark is UNKNOWN


def test_a_list_that_claims_more_than_there_is_takes_no_memory() -> None:
    """A central directory of gigabytes, and a header of safetensors of exabytes: neither is asked for."""

    class Huge:
        size = 2**60
        asked = 0

        def at(self, start: int, stop: int) -> bytes:
            Huge.asked = max(Huge.asked, stop - start)
            head = (b"PK\x03\x04" + bytes(26))[start:stop] if start < 30 else b""
            end = b"PK\x05\x06" + bytes(4) + b"\xff\xff\xff\xff" + b"\xff\xff\xff\x7f" + b"\0\0\0\x10" + bytes(2)
            return end if start == self.size - 22 else head

    assert kind_of(Huge(), zip_kind) == "zip"
    assert Huge.asked <= 32 * 2**20
    assert kind_of(Held(b"\xff\xff\xff\xff\0\0\0\0{"), zip_kind) == "unknown"


def test_nested_json_and_a_bomb_of_zeros_are_looked_at_in_a_moment() -> None:
    deep = b"[" * 100_000
    assert kind_of(Held(len(deep).to_bytes(8, "little") + b"{" + deep)) == "unknown"
    assert found("bomb.npz", zipped(a__npy=bytes(50_000_000))).mark is UNKNOWN


@given(st.binary(max_size=300))
def test_whatever_the_bytes_there_is_an_answer(content: bytes) -> None:
    for one in (content, b"PK\x03\x04" + content, b"\x78\x9c" + content, b"\x93NUMPY" + content, b"\x80\x04" + content):
        assert kind_of(Held(one), zip_kind) in KINDS


@given(st.text(alphabet=st.characters(categories=["L", "N", "Zs", "P"]), max_size=200))
def test_text_is_hardly_ever_taken_for_a_pickle(text: str) -> None:
    """Where it is, Python would read it as one."""
    raw = text.encode()
    if may_be_pickle(raw, whole=True):
        assert b"." in raw


def test_the_mark_of_a_version_is_the_worst_of_its_files() -> None:
    assert worst([DATA, CODE, UNKNOWN]) is CODE
    assert worst([DATA, UNKNOWN]) is UNKNOWN
    assert worst([DATA]) is DATA
    assert worst([]) is UNKNOWN


def test_every_kind_says_why_it_is_not_data() -> None:
    assert {name for name, one in KINDS.items() if (one.mark is DATA) != (not one.why)} == set()
    assert json.loads(json.dumps([str(one) for one in Mark])) == ["data", "unknown", "code"]
