"""What files of base models are, by their names and by what was found in them; none of them is ever loaded."""

import pickle

import pytest

from fabriek.kernel.errors import InvalidInput, NotPermitted
from fabriek.lab.base_models.formats import begins_as_pickle, check_allowed, check_claim, why_code
from tests.factories.base_models import safetensors


def test_first_bytes_tell_a_pickle_from_weights() -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert begins_as_pickle(pickle.dumps({"a": 1}, protocol))
    for data in (b"", b"\x80", b"{}", b"# Hello", safetensors(), safetensors(header_bytes=0x280)):
        assert not begins_as_pickle(data)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("config.json", "json"), ("model.safetensors", "safetensors"), ("tokenizer.model", "unknown"), ("vocab.txt", "text"),
        ("model.onnx", "onnx"), ("model.gguf", "gguf"), ("x/y.npz", "numpy"), ("README.md", "text"), ("sklearn.skops", "skops"),
    ],
)  # fmt: skip
def test_data_is_not_marked(path: str, kind: str) -> None:
    assert why_code(path, kind) == ""
    assert why_code(path) == ""
    check_allowed(path, "", allow_code=False)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("pytorch_model.bin", "pickle-zip"), ("pytorch_model.bin", "unknown"), ("a.PT", "text"), ("x.ckpt", "unknown"), ("a.pkl", "text"),
        ("model.safetensors", "pickle"), ("weights", "hdf5"), ("a.npz", "numpy-objects"), ("modeling_x.py", "text"), ("run", "script"),
        ("lib.so", "program"), ("a.zip", "zip"), ("a.tar", "tar"), ("a.xz", "compressed"), ("saved_model.pb", "unknown"), ("m.keras", "keras"),
    ],
)  # fmt: skip
def test_what_may_run_is_marked(path: str, kind: str) -> None:
    why = why_code(path, kind)
    assert why
    with pytest.raises(NotPermitted, match=why[:20]):
        check_allowed(path, why, allow_code=False)
    check_allowed(path, why, allow_code=True)


def test_a_name_must_not_lie() -> None:
    check_claim("model.safetensors", "safetensors")
    check_claim("config.json", "text")
    for path, kind in (
        ("a.safetensors", "text"),
        ("A.SAFETENSORS", "pickle"),
        ("a.gguf", "zip"),
        ("a.safetensors", ""),
    ):
        with pytest.raises(InvalidInput):
            check_claim(path, kind)
