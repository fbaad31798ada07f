"""An entry is cited in a form that others read."""

from datetime import UTC, datetime

import yaml

from fabriek.knowledge.catalogue.citation import cff
from fabriek.knowledge.catalogue.entries import Entry, EntryKind

ENTRY = Entry(
    "crd_1", EntryKind.DATASET, "dst_1", "prj_1", "org_1", "open", "Longscans: één", "Beelden.", "CC-BY-4.0", "", ("long",), "nl", "",
    datetime(2026, 11, 28, 9, tzinfo=UTC), doi="10.24432/C5DW2B", authors=("Wolberg, William", "Ziekenhuis Noord"),
)  # fmt: skip


def test_what_a_reader_of_citations_finds() -> None:
    assert yaml.safe_load(cff(ENTRY, "Ziekenhuis", "https://fabriek.example/catalogue/crd_1")) == {
        "cff-version": "1.2.0", "message": "If you use this, please cite it as below.", "title": "Longscans: één", "abstract": "Beelden.",
        "authors": [{"family-names": "Wolberg", "given-names": "William"}, {"name": "Ziekenhuis Noord"}], "date-released": "2026-11-28",
        "url": "https://fabriek.example/catalogue/crd_1", "type": "dataset", "doi": "10.24432/C5DW2B", "license": "CC-BY-4.0", "keywords": ["long"],
    }  # fmt: skip


def test_without_authors_the_organisation_is_cited() -> None:
    bare = Entry(
        "crd_1", EntryKind.ANSWER, "q", "", "org_1", "open", "T", "S", "", "", (), "en", "", ENTRY.published_at
    )
    said = yaml.safe_load(cff(bare, "Ziekenhuis", "https://x"))
    assert said["authors"] == [{"name": "Ziekenhuis"}]
    assert not {"doi", "license", "keywords", "type"} & set(said)
