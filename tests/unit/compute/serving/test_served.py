"""What a model's files say about how it is served, and its name."""

import pytest

from fabriek.compute.serving.served import Kind, kind_of, name_of, version_of
from fabriek.kernel.errors import InvalidInput


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        (["model.gguf", "LICENSE"], Kind.OPENAI),
        (["MLmodel", "model.skops", "requirements.txt"], Kind.SCORING),
        (["MLmodel", "python_model.pkl", "code/mine.py"], Kind.SCORING),
        (["weights.skops"], Kind.SCORING),
        (["model.safetensors", "config.json", "tokenizer.json"], None),
        ([], None),
    ],
)
def test_files_say_what_serves_them(files: list[str], kind: Kind | None) -> None:
    assert kind_of(files) == kind


@pytest.mark.parametrize(
    ("said", "model", "name"),
    [("", "SmolLM2 135M/chat", "smollm2-135m-chat"), ("mine", "Any", "mine"), ("", "--x--", "x"), ("", "a" * 99, "a" * 63)],
)  # fmt: skip
def test_a_name_for_the_address_is_made_of_the_models(said: str, model: str, name: str) -> None:
    assert name_of(said, model) == name


@pytest.mark.parametrize(("said", "model"), [("A", ""), ("a/b", ""), ("..", ""), ("", "模型"), ("a" * 64, "")])
def test_what_cannot_stand_in_an_address_is_refused(said: str, model: str) -> None:
    with pytest.raises(InvalidInput):
        name_of(said, model)


def test_a_version_is_named_exactly() -> None:
    assert version_of("a@b@champion") == ("a@b", "champion")
    for said in ("a", "a@", "@3", ""):
        with pytest.raises(InvalidInput):
            version_of(said)
