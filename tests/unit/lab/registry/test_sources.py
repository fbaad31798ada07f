"""What a source may say, form by form; whatever else anybody writes is refused and nothing but refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.kernel.errors import InvalidInput
from fabriek.lab.artifacts import PATH_CHARACTERS_MAX
from fabriek.lab.registry.sources import Source, read_source

RUN, MODEL = "0123456789abcdef" * 2, "m-" + "fedcba9876543210" * 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"models:/{MODEL}", {"model_id": MODEL}), (f"models:/{MODEL}/", {"model_id": MODEL}), (f"runs:/{RUN}/a/b", {"run": RUN, "path": "a/b"}),
        (f"runs:/{RUN}", {"run": RUN}), (f"mlflow-artifacts:/12/{RUN}/artifacts/a", {"run": RUN, "path": "a", "experiment": "12"}),
        (f"mlflow-artifacts:/0/models/{MODEL}/artifacts", {"model_id": MODEL, "experiment": "0"}),
        ("models:/tree/7", {"name": "tree", "number": "7"}),
        ("models:/tree@champion", {"name": "tree", "alias": "champion"}), ("models:/a tree/latest", {"name": "a tree", "number": "latest"}),
    ],
)  # fmt: skip
def test_each_form_is_read(text: str, expected: dict[str, str]) -> None:
    assert read_source(text) == Source(text, **expected)


PIECES = st.sampled_from(
    ["models:/", "runs:/", "mlflow-artifacts:/", "file:", "s3:", "//", "/", "..", ".", "%2e", "%2E%2E", "%00", "\\", "#", "?", "\x00", "\n",
     " ", "@", "latest", "0",
     "artifacts", "models", RUN, MODEL, "tree", "x", "é", "\u2025", "\uff0e\uff0e", "\u2215"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join))
def test_what_is_read_never_leads_upwards_nor_out(text: str) -> None:
    """Whatever is put together of the dangerous pieces: it is refused, or it names a thing of ours and a plain path below it."""
    try:
        found = read_source(text)
    except InvalidInput:
        return
    assert [bool(found.model_id), bool(found.run), bool(found.name)].count(True) == 1
    assert text.startswith(("models:/", "runs:/", "mlflow-artifacts:/"))
    assert not {"..", ".", ""} & set(found.path.split("/")) or not found.path
    assert not any(char in text for char in "%\\#?\x00\n")


def test_a_source_that_is_too_long_is_refused_and_not_sent_back() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_source(f"runs:/{RUN}/" + "x" * PATH_CHARACTERS_MAX)
    assert len(refused.value.detail) < 1_000
