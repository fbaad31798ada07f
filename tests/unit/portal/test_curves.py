"""A curve is drawn from whatever a script logged."""

import math
from xml.etree import ElementTree as ET

import pytest

from fabriek.portal.curves import HEIGHT, POINTS_MAX, WIDTH, curve


def points_of(svg: str) -> list[tuple[float, float]]:
    line = ET.fromstring(svg).find("polyline")  # noqa: S314  # what we drew ourselves
    assert line is not None
    return [(float(x), float(y)) for x, _, y in (one.partition(",") for one in line.attrib["points"].split())]


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
