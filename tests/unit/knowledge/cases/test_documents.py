"""The use-case document: heads in two languages, and what stands under none of them."""

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.knowledge.cases import documents


def test_heads_are_known_in_both_languages_at_any_level_and_in_any_case() -> None:
    text = "# waarde\nveel\n\n### DATA:\nones\n## Risico\u2019s\nfew\n#### Plan ##\nnow"
    assert documents.parts_of(text) == {"value": "veel", "data": "ones", "risks": "few", "plan": "now"}
    assert documents.missing_in(text) == ["metrics", "compliance", "resources"]


def test_a_heading_within_a_fence_or_of_ones_own_belongs_to_the_part() -> None:
    text = "# Value\n```\n# Data\n```\n## For growers\nless spraying\n"
    assert documents.parts_of(text) == {"value": "```\n# Data\n```\n## For growers\nless spraying"}


@pytest.mark.parametrize("nothing", ["", "\n\n", "---", "- \n- "])
def test_a_head_with_nothing_that_reads_is_missing(nothing: str) -> None:
    assert "plan" in documents.missing_in(f"# Plan\n{nothing}")


@pytest.mark.parametrize("language", documents.LANGUAGES)
def test_a_template_has_every_head_and_answers_none(language: str) -> None:
    made = documents.template(language)
    assert set(documents.parts_of(made)) == set(documents.HEADS)
    assert documents.missing_in(documents.unasked(made)) == list(documents.HEADS)
    assert documents.language_of(made) == language


def test_what_was_written_in_parts_reads_back() -> None:
    parts = {head: f"about {head}" for head in documents.HEADS}
    assert documents.parts_of(documents.written(parts, "nl")) == parts
    with pytest.raises(InvalidInput, match="'fr'"):
        documents.written(parts, "fr")
