"""What search engines read in a page cannot break out of its element, whatever a card says."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.knowledge.catalogue.entries import Entry, EntryKind, Reach
from fabriek.knowledge.exchange.schema_org import is_told, schema_org

ENTRY = Entry(
    "crd_1", EntryKind.DATASET, "dst_1", "prj_1", "org_1", "open", "Longscans", "Beelden.", "CC-BY-4.0", "", ("long",), "nl", "",
    datetime(2026, 11, 28, 9, tzinfo=UTC), Reach.WORLD, "10.5281/zenodo.1234567", ("Noord, Anna", "Ziekenhuis"),
)  # fmt: skip


@given(
    st.text(max_size=60)
    | st.sampled_from(["</script><script>alert(1)</script>", "<!--<script>", "]]>", "\u2028", "&lt;"])
)
def test_no_text_ends_the_element_and_every_text_is_read_as_it_was_written(text: str) -> None:
    told = schema_org(
        replace(ENTRY, title=text, summary=text, keywords=(text,), authors=(text,)), text, "https://x.example/a"
    )
    assert not re.search("[<>&\u2028\u2029]", told)
    read = json.loads(told)
    assert (read["name"], read["description"], read["keywords"], read["provider"]["name"]) == (text, text, [text], text)


@pytest.mark.parametrize(("kind", "called"), [(EntryKind.DATASET, "Dataset"), (EntryKind.MODEL, "SoftwareSourceCode")])
def test_each_kind_is_called_what_it_is(kind: EntryKind, called: str) -> None:
    read = json.loads(schema_org(replace(ENTRY, kind=kind), "Ziekenhuis Noord", "https://x.example/a"))
    assert read["@type"] == called
    assert read["creator"][0]["name"] == "Anna Noord"
    assert read["license"] == "https://spdx.org/licenses/CC-BY-4.0"


def test_only_what_is_ours_and_for_the_world_is_told() -> None:
    assert is_told(ENTRY)
    assert not is_told(replace(ENTRY, kind=EntryKind.ELSEWHERE))
    assert not any(is_told(replace(ENTRY, reach=reach)) for reach in Reach if reach is not Reach.WORLD)
