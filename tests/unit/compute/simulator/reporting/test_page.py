"""The page: all of it in one file, readable without its drawings, and nothing in it that a trace could make run."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fabriek.compute.simulator.recorded import BEGIN
from fabriek.compute.simulator.reporting.page import page_of
from fabriek.compute.simulator.reporting.results import LeftOut, Report
from tests.factories.compute import a_limit
from tests.factories.replays import GPU_NODES, NAUGHTY, a_report, recorded

PORTAL = Path(__file__).parents[5] / "src/fabriek/portal/assets/fabriek.css"
VOID = {"meta"}


class Read(HTMLParser):
    """What is in a page: elements with their attributes, and that each that was opened was closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def count(self, tag: str) -> int:
        return sum(one == tag for one, _ in self.found)


def limited() -> Report:
    return a_report(limits=(a_limit(60, starts=BEGIN, hours=4),), contract=120)


@pytest.mark.parametrize("report", [
    a_report(), limited(), a_report([]), a_report(shares=()), a_report(recorded(gpus_milli=2_000), capacity=GPU_NODES), a_report(recorded(1)),
    a_report(recorded(gpus_milli=500), capacity=GPU_NODES, contract=900),
], ids=["pool", "limited", "nothing", "no shares", "nodes", "one job", "parts of GPUs"])  # fmt: skip
def test_it_stands_alone_and_each_drawing_has_words_and_a_table(report: Report) -> None:
    page = page_of(report)
    read = Read(page)
    assert read.open == []
    assert not {tag for tag, _ in read.found} & {"script", "link", "img", "iframe", "form", "object", "style "}
    assert not re.search(r"https?://|\son\w+=|javascript:|url\(", page)
    assert [said.get("href", "#")[:1] for _, said in read.found if "href" in said] == ["#"] * read.count("a")
    assert all("style" not in said for _, said in read.found)
    drawings = [said for tag, said in read.found if tag == "svg" and said.get("role") == "img"]
    assert drawings
    assert read.count("desc") == len(drawings) == read.count("figure")
    assert read.count("title") > len(drawings)
    assert "nan" not in re.sub(r"<[^>]*>", "", page).lower().replace("finance", "")
    assert not re.search(r'="[^"]*\b(nan|inf)\b', page)
    ids = [said["id"] for _, said in read.found if "id" in said]
    assert len(ids) == len(set(ids))


def test_what_a_trace_says_is_shown_and_never_taken_for_the_page() -> None:
    jobs = recorded(name=NAUGHTY)
    report = a_report(jobs, shares=(NAUGHTY, "others"), left_out=(LeftOut(NAUGHTY, 3, 7),), trace=f"{NAUGHTY}.swf")
    page = page_of(report)
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;") > 10
    assert Read(page).open == []


def test_the_same_replay_is_the_same_page() -> None:
    assert page_of(limited()) == page_of(limited())


def test_colours_are_those_of_the_portal() -> None:
    portal = PORTAL.read_text("utf-8")
    ours = re.findall(r"(--[\w-]+): (#\w+);", page_of(a_report([])))
    assert len(ours) > 25
    assert {f"{name}: {value};" for name, value in ours} <= set(re.findall(r"--[\w-]+: #\w+;", portal))


def test_the_policies_are_compared_with_the_first() -> None:
    page = page_of(a_report())
    mine, easy = a_report().results
    assert "against mine" in page
    assert f"{mine.figures.mean_bounded_slowdown:,.2f}" in page
    assert f"{easy.figures.mean_bounded_slowdown:,.2f}" in page
    assert "defence: part of the machine in use" in page
    assert "mine, part 50.0%" in page


def test_what_was_left_out_and_what_never_started_is_named() -> None:
    report = a_report(limits=(), contract=30, left_out=(LeftOut("wider than the machine", 4),))
    page = page_of(report)
    assert "wider than the machine" in page
    assert report.results[0].outcome.unstarted
    assert "never started under mine" in page
    assert "Nothing was left out" in page_of(a_report())


def test_the_busiest_time_is_drawn_and_said() -> None:
    calm = recorded(5)
    busy = [
        one.__class__(f"b{n}", 40 * 86_400.0 + n * 600, 30_000.0, 4, 40_000.0) for n, one in enumerate(recorded(30))
    ]
    page = page_of(a_report(calm + busy))
    assert re.search(r"Drawn are the busiest 7 days under mine, from day 3[4-9]|day 40", page)
    assert "The whole trace is drawn." in page_of(a_report(calm))
