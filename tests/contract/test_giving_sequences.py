"""Random sequences of applying, granting, withdrawing, awarding and days that pass: what must hold at every moment holds."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fabriek.adapters.database import open_database
from fabriek.funding.giving.contributions import FunderKind
from fabriek.funding.policy.caps import Of
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import FabriekError
from tests.factories.giving import a_funder, agree_on, carry, supply
from tests.factories.services import Town, a_town

FUNDERS = {"europe": "eu", "state": "national", "region": "regional"}
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("apply"), st.sampled_from(sorted(FUNDERS)), st.integers(1, 200)),
        st.tuples(st.just("step"), st.sampled_from(["granted", "received", "withdrawn"]), st.integers(0, 7)),
        st.tuples(st.just("award"), st.sampled_from(["", *sorted(FUNDERS)]), st.integers(1, 5_000)),
        st.tuples(st.just("direct"), st.sampled_from(["", *sorted(FUNDERS)]), st.integers(1, 5_000)),
        st.tuples(st.just("days"), st.just(""), st.sampled_from([1, 20, 95, 200])),
    ),
    min_size=4,
    max_size=14,
)


class Player:
    """One installation that is played with; what is refused changes nothing."""

    def __init__(self, town: Town) -> None:
        self.town, self.services = town, town.services
        self.funders = {slug: a_funder(town, slug) for slug in FUNDERS}
        self.director = town.person("house", "director", kind="operator")
        self.applicants: list[Caller] = [town.person(f"firm{number}") for number in range(2)]
        self.taken = 0

    def play(self, act: str, what: str, amount: int) -> bool:
        giving = self.services.giving
        try:
            match act:
                case "apply":
                    giving.apply(what, FUNDERS[what], amount, name=what, by=self.funders[what])
                case "step":
                    known = giving.contributions(by=self.town.operator)
                    giving.step(known[amount % len(known)][0].id, what, by=self.town.operator)
                case "days":
                    self.town.clock.sleep(86_400 * amount)
                    giving.keep_quarters()
                case _:
                    self._award(what, amount, director=act == "direct")
        except FabriekError:
            return False
        return True

    def _award(self, share: str, hours: int, *, director: bool) -> None:
        self.taken += 1
        by = self.applicants[self.taken % 2]
        answers = {
            "title": f"Trees {self.taken}",
            "summary": "x",
            "purpose": "civilian",
            "gpu_hours": hours,
            "months": "1",
            "data": "x",
        }
        filed = self.services.intake.file("playground", answers, by=by)
        self.services.intake.submit(filed.id, by=by)
        giver = self.director if director else self.town.operator
        self.services.awarding.award(filed.id, share=share, director=director, by=giver)

    def check(self) -> None:
        services = self.services
        assert services.funding.balanced()
        for row in services.funding.table(by=self.town.operator):
            assert min(row.unawarded, row.unspent, row.held, row.used) >= 0
            assert row.granted == row.unawarded + row.unspent + row.held + row.used
        for row in services.standings.quarter(by=self.town.operator)[1]:
            assert row.began + row.brought - row.awarded - row.lapsed == row.carried
        parts = {share.kind: part for share, part in services.giving.shares_on(by=self.town.operator)}
        assert parts.get(FunderKind.EU, 0) <= 500_000

    def caps(self) -> dict[tuple[str, str], int]:
        """What is awarded beyond each cap: only money that goes away may make it more."""
        return {
            (one.cap.id, one.share.name): max(0, one.awarded - one.bound)
            for one in self.services.standings.caps(by=self.town.operator)
            if one.share is not None and one.cap.of is Of.SHARE
        }


@pytest.mark.faults  # a minute: an installation for each sequence
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(ACTS, st.sampled_from([0, 0.3, 1]))
def test_nothing_falls_below_zero_no_cap_is_broken_and_all_sums_to_zero(
    tmp_path_factory: pytest.TempPathFactory, sqlite_with_tables: Path, acts: list[tuple[str, str, int]], carried: float
) -> None:
    folder = tmp_path_factory.mktemp("sequence")
    (folder / "fabriek.db").write_bytes(sqlite_with_tables.read_bytes())
    database = open_database(f"sqlite:///{folder}/fabriek.db")
    try:
        player = Player(a_town(database, folder / "home"))
        agree_on(player.town, supply(100) + carry(carried))
        for act in [("apply", "europe", 50), ("step", "granted", 1), *acts]:
            beyond = player.caps()
            player.play(*act)
            player.check()
            if act[0] in {"award", "direct"}:
                after = player.caps()
                assert all(after[name] <= was for name, was in beyond.items())
    finally:
        database.close()
