"""A filled large form on paper: every question and answer is there, in both languages, and what was typed stays text."""

import io
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from fabriek.access.applying.printing import printed
from fabriek.adapters.database import Database
from fabriek.kernel.errors import NotFound
from tests.factories.services import Town, a_town

HOSTILE = '#read("/etc/passwd") $x$ *bold* <script>alert(1)</script> =cmd|calc \\ #include "/etc/hostname"'


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def filled(town: Town, call: str) -> dict[str, Any]:
    """Every question of a call with its example."""
    return {one.name: one.example for one in town.services.intake.calls.of(call).fields} | {
        "confidential": True, "kind": "continuation",
    }  # fmt: skip


def text_of(pdf: bytes) -> str:
    return "".join("".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


@pytest.mark.parametrize("language", ["en", "nl"])
def test_every_question_and_answer_of_a_filled_large_form_is_on_paper(town: Town, language: str) -> None:
    intake, jan = town.services.intake, town.person("lab")
    filed = intake.file("large-scale", filled(town, "large-scale"), by=jan)
    document = intake.document(filed.id, language, by=jan)
    questions = [one for section in document["sections"] for one in section["questions"]]
    assert len(questions) == 59
    pdf = printed(document)
    reader = PdfReader(io.BytesIO(pdf))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    # Page numbers and the running head stand between the lines of a text that goes over to the next page.
    text = text_of(pdf)
    for one in questions:
        for words in (one["question"], *(part for line in one["lines"] for part in line.split())):
            assert "".join(words.split()) in text, one["name"]
    assert "ZofiaWiśniewska" in text
    assert "ΓιώργοςΠαπαδόπουλος" in text


def test_the_same_answers_are_the_same_bytes(town: Town) -> None:
    intake, jan = town.services.intake, town.person("lab")
    filed = intake.file("large-scale", filled(town, "large-scale"), by=jan)
    document = intake.document(filed.id, "en", by=jan)
    assert printed(document) == printed(document)


def test_markup_that_was_typed_is_printed_as_it_was_typed(town: Town) -> None:
    intake, jan = town.services.intake, town.person("lab")
    filed = intake.file("playground", {"title": HOSTILE[:120], "summary": HOSTILE + "\n" + "long " * 300}, by=jan)
    text = text_of(printed(intake.document(filed.id, "en", by=jan)))
    assert "".join(HOSTILE.split()) in text
    assert "root:" not in text


def test_who_may_not_read_an_application_does_not_print_it(town: Town) -> None:
    intake = town.services.intake
    filed = intake.file("playground", {"title": "Mine"}, by=town.person("lab"))
    with pytest.raises(NotFound):
        intake.document(filed.id, "en", by=town.person("other"))


def test_a_filled_large_form_is_complete_and_one_hour_off_is_not(town: Town) -> None:
    intake, jan = town.services.intake, town.person("lab")
    answers = filled(town, "large-scale") | {"months": "3", "partners": []}
    filed = intake.file("large-scale", answers, by=jan)
    assert intake.submit(filed.id, by=jan).state == "eligible"
    off = [dict(one) for one in answers["plan"]]
    off[0]["node_hours"] += 1
    second = intake.file("large-scale", answers | {"plan": off}, by=jan)
    with pytest.raises(Exception, match="24001 node-hours and must come to 24000 node-hours, 1 too many"):
        intake.submit(second.id, by=jan)
