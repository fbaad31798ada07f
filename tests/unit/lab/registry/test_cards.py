"""Cards as people write them for the Hub: what their front matter says is read, and what is wrong with it is said."""

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.lab.registry.cards import CARD_CHARACTERS_MAX, Licence, check_card, read_card, read_licence, with_licence

HUB = """---
license: apache-2.0
language:
- nl
- en
tags: [tabular, medical]
base_model: HuggingFaceTB/SmolLM2-135M
datasets:
- biopsies
model-index:
- name: tree
  results: []
---
# Tree

For triage, not for diagnosis.
"""


def test_a_card_of_the_hub_is_read() -> None:
    card = check_card(HUB)
    assert card.licence == Licence("Apache-2.0")
    assert card.says("language") == "nl, en"
    assert card.says("base_model") == "HuggingFaceTB/SmolLM2-135M"
    assert card.says("model-index") == ""
    assert card.body.startswith("# Tree")
    assert card.text == HUB


def test_a_card_without_front_matter_is_all_body() -> None:
    card = check_card("# Tree\n\n---\n\nA line between.")
    assert (card.front, card.licence, card.body) == ({}, None, card.text)


@pytest.mark.parametrize(
    ("said", "is_read"),
    [
        ("MIT", Licence("MIT")),
        ("eupl-1.2", Licence("EUPL-1.2")),
        ("mit or apache-2.0", Licence("MIT OR Apache-2.0")),
        ("LicenseRef-House", Licence("LicenseRef-House")),
    ],
)
def test_licences_of_spdx_are_known_in_any_case(said: str, is_read: Licence) -> None:
    assert read_licence(said) == is_read


def test_another_licence_has_a_name_and_a_link_that_can_be_followed() -> None:
    told = check_card("---\nlicense: other\nlicense_name: llama3.1\nlicense_link: https://host.example/terms\n---\nx")
    assert told.licence == Licence("", "llama3.1", "https://host.example/terms")
    assert read_licence("other", name="house", link="javascript:alert(1)").link == ""
    for wrong in ("other", "apache", "free for all", ""):
        with pytest.raises(InvalidInput):
            read_licence(wrong)


@pytest.mark.parametrize(
    "front",
    [
        "license: nonsense",
        "a: &a [x]\nb: *a",
        "a: " + "[" * 5_000,
        "a: " + "{b: " * 30,
        "!!python/object/apply:os.system [ls]",
        "- a\n- list",
        "a: b: c",
        "x: " + "y" * 30_000,
    ],
)
def test_front_matter_that_cannot_be_read_is_refused_when_written_and_shown_when_it_lies_there(front: str) -> None:
    text = f"---\n{front}\n---\n# Tree\n"
    with pytest.raises(InvalidInput):
        check_card(text)
    card = read_card(text)
    assert card.trouble
    assert card.licence is None
    assert card.body == "# Tree\n"


@pytest.mark.parametrize("text", ["", "  \n", "x" * (CARD_CHARACTERS_MAX + 1), "a\0b"])
def test_a_card_of_nothing_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        check_card(text)


@pytest.mark.parametrize("text", [HUB, "# Tree\n", "---\nlicense: other\nlicense_name: x\n---\n# Tree\n"])
@pytest.mark.parametrize("licence", [Licence("MIT"), Licence("", 'a "house": one', "https://host.example/")])
def test_a_licence_is_put_into_a_card_and_nothing_else_changes(text: str, licence: Licence) -> None:
    before, after = check_card(text), check_card(with_licence(text, licence))
    assert after.licence == licence
    assert after.body.strip() == before.body.strip()
    others = {name: value for name, value in before.front.items() if not name.startswith("license")}
    assert {name: value for name, value in after.front.items() if not name.startswith("license")} == others
