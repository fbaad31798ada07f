"""A curve is drawn from whatever a script logged."""

import math
from xml.etree import ElementTree as ET

import pytest

from fabriek.portal.curves import HEIGHT, POINTS_MAX, WIDTH, Drawn, curve, overlay
from fabriek.portal.parallel import Across, parallel


def points_of(svg: str) -> list[tuple[float, float]]:
    lines = ET.fromstring(svg).findall("polyline")  # noqa: S314  # what we drew ourselves
    assert lines
    places = [one.partition(",") for line in lines for one in line.attrib["points"].split()]
    return [(float(x), float(y)) for x, _, y in places]


@pytest.mark.parametrize(
    "values", [[1.0], [0.0, 0.0, 0.0], [1e308, -1e308], [1e-300, 2e-300], [float(n) for n in range(5000)], [math.nan, 1.0, math.inf, 2.0]]
)  # fmt: skip
def test_every_point_is_within_the_drawing(values: list[float]) -> None:
    drawn = curve("loss", list(enumerate(values)))
    placed = points_of(str(drawn.svg))
    assert drawn.points == len(values)
    assert 0 < len(placed) <= 2 * POINTS_MAX
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in placed)


@pytest.mark.parametrize("values", [[], [math.nan], [math.inf, -math.inf]])
def test_nothing_to_draw_draws_nothing(values: list[float]) -> None:
    assert str(curve("loss", list(enumerate(values))).svg) == ""


def test_a_name_cannot_leave_its_place() -> None:
    svg = str(curve("</title><script>alert(1)</script>", [(0, 1.0), (1, 2.0)]).svg)
    assert ET.fromstring(svg).find("script") is None  # noqa: S314  # what we drew ourselves


def test_higher_is_higher() -> None:
    (_, low), (_, high) = points_of(str(curve("loss", [(0, 1.0), (1, 2.0)]).svg))
    assert high < low


def test_lines_over_each_other_differ_without_colours_and_mark_what_is_no_number() -> None:
    lines = [Drawn(f"run {one}", one, [(0, 1.0), (1, float(one)), (2, 3.0)], 3) for one in range(20)]
    lines[0] = Drawn("odd", 0, [(0, 1.0), (1, math.nan), (2, 3.0), (3, math.inf), (4, -math.inf)], 5)
    tree = ET.fromstring(str(overlay("loss <b>", lines, "step")))  # noqa: S314  # what we drew ourselves
    strokes = {(one.attrib["class"], one.attrib.get("stroke-dasharray", "")) for one in tree.iter("polyline")}
    assert len(strokes) == 20
    said = next(one.text for one in tree.iter("title"))
    assert said == "loss <b> of 20 runs by step: between 1 and 19, 3 points are no numbers"
    assert [one.findtext("title") for one in tree.iter("text") if one.get("class") == "odd"] == [
        "NaN at 1",
        "∞ at 3",
        "-∞ at 4",
    ]
    assert (
        sum(one.get("class") == "line-1" and one.tag == "polyline" and not one.get("stroke-dasharray") for one in tree)
        == 2
    )


def test_a_line_says_what_its_row_in_the_table_says() -> None:
    line = Drawn("a", 0, [(0, 2.0), (1, math.nan), (2, 1.0)], 3)
    assert (line.lowest, line.highest, line.last, line.odd) == ("1", "2", "1", 1)


def test_runs_across_axes_of_numbers_and_words() -> None:
    runs = [
        Across({"lr": "0.1", "kind": "</text><script>"}, 0.9, best=True), Across({"lr": "0.2", "kind": "b"}, 0.5, best=False),
        Across({"lr": "0.3"}, math.nan, best=False),
    ]  # fmt: skip
    tree = ET.fromstring(str(parallel(["lr", "kind"], "accuracy", runs)))  # noqa: S314  # what we drew ourselves
    assert [one.get("class") for one in tree.iter("polyline")] == ["other", "best"]
    assert tree.find("script") is None
    assert {"0.1", "0.2", "lr", "kind", "accuracy"} <= {one.text for one in tree.iter("text")}
    assert str(parallel(["lr"], "accuracy", runs[2:])) == ""
    assert str(parallel([], "accuracy", runs)) == ""
