"""Variants of a job that may start sooner: narrower ones, and a shorter one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from fabriek.compute.forecasting.forecasts import Forecast
from fabriek.compute.gpus import MILLI, Gpus
from fabriek.compute.jobs import Shape

SOONER_SECONDS = 1_800
SOONER_PART = 1 / 3
"""A variant is worth telling that starts by both sooner: so much, and such a part of the wait."""

SHORTEST_SECONDS = 60


def variants(shape: Shape) -> Sequence[Shape]:
    """At most three: half and a quarter of its width, and half of its time. Its width is its GPUs, else its nodes, else its CPUs."""
    narrower = [_narrower(shape, part) for part in (2, 4)]
    shorter = [replace(shape, wall_seconds_max=shape.wall_seconds_max // 2)]
    wanted = [*narrower, *(one for one in shorter if one.wall_seconds_max >= SHORTEST_SECONDS)]
    return [one for number, one in enumerate(wanted) if one != shape and one not in wanted[:number]]


def _narrower(shape: Shape, part: int) -> Shape:
    if shape.gpus.devices > 1:
        fewer = max(1, shape.gpus.devices // part)
        return replace(shape, gpus=Gpus(fewer * MILLI, shape.gpus.kind))
    if shape.nodes > 1:
        return replace(shape, nodes=max(1, shape.nodes // part))
    if shape.gpus:
        return shape
    return replace(shape, cpus=max(1, shape.cpus // part))


def is_sooner(one: Forecast, than: Forecast) -> bool:
    """Whether it is worth telling."""
    mine, theirs = one.median or one.latest, than.median or than.latest
    if mine is None or theirs is None or one.made_at > mine:
        return False
    gained = theirs - mine
    return gained >= max(timedelta(seconds=SOONER_SECONDS), SOONER_PART * (theirs - than.made_at))
