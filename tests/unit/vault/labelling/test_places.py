"""Where data may be: the store that takes it, the nodes that open it."""

from dataclasses import replace

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.vault.labelling.places import Place, Places, is_allowed, read_bound, read_place, read_places
from fabriek.vault.labelling.policy import read_labels
from fabriek.vault.service import Vault
from tests.factories.vault import World, a_push
from tests.unit.vault.test_opening import FILES, agree, inputs, refused, start

NL, BE = Place("NL", "Factory"), Place("BE", "Factory")
POLICY = """
[[label]]
name = "open"
source = "s"
valid_from = 2026-01-01
[[label]]
name = "personal"
above = ["open"]
places = ["NL", "DE"]
source = "s"
valid_from = 2026-01-01
[[label]]
name = "internal"
above = ["personal"]
is_default = true
places = ["NL/Factory"]
source = "s"
valid_from = 2026-01-01
[[label]]
name = "special-category"
above = ["internal"]
source = "s"
valid_from = 2026-01-01
"""


def placed(world: World, store: Place | None, nodes: Place | None) -> World:
    parts = replace(world.parts, labels=read_labels(POLICY), places=Places(store, nodes))
    return replace(world, parts=parts, vault=Vault(parts, world.keeping))


@pytest.mark.parametrize("wrong", ["", "Netherlands", "N", "N1", "NL/" + "x" * 101, "NL/a\nb", "/Factory"])
def test_what_is_no_place_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidInput):
        read_place(wrong)


def test_a_place_is_a_country_and_an_owner_and_an_owner_may_be_left_open() -> None:
    assert read_place(" nl / Ministerie van Defensie ") == Place("NL", "Ministerie van Defensie")
    assert read_bound(["be", "NL", "nl"]) == ("BE", "NL")
    assert read_places("NL/A", "", "BE/B", "") == Places(Place("NL", "A"), Place("BE", "B"), Place("NL", "A"))
    assert read_places("", "", "", "") == Places()
    assert is_allowed(NL, [("NL",), ("NL/factory", "BE")])
    assert not is_allowed(NL, [("NL",), ("NL/Other",)])
    assert not is_allowed(None, [("NL",)])
    assert is_allowed(None, [(), ()])


def test_a_push_into_a_store_in_another_place_is_refused_with_the_rule(world: World) -> None:
    for store in (BE, None, Place("NL", "Other")):
        there = placed(world, store, NL)
        assert refused(lambda: a_push(there, "biopsies", FILES)) == "place.label"  # noqa: B023
        assert a_push(
            there,
            f"free-{store.country.lower() if store else 'none'}-{len(store.owner) if store else 0}",
            FILES,
            label="open",
        )
    assert a_push(placed(world, NL, BE), "biopsies", FILES)


def test_a_job_on_nodes_in_another_place_does_not_start(world: World) -> None:
    version = a_push(placed(world, NL, NL), "biopsies", FILES)
    agree(placed(world, NL, NL))
    assert inputs(placed(world, NL, NL)) == [version.id]
    abroad = placed(world, NL, BE)
    assert refused(lambda: inputs(abroad)) == "place.label"
    assert refused(lambda: start(abroad, version.id)) == "place.label"


def test_an_agreement_names_the_places_in_which_jobs_run(world: World) -> None:
    version = a_push(world, "biopsies", FILES, label="special-category")
    agree(world, places=["NL/Factory"])
    for nodes, rule in ((NL, ""), (BE, "place.agreement"), (None, "place.agreement")):
        vault = Vault(replace(world.parts, places=Places(NL, nodes)), world.keeping)
        there = replace(world, vault=vault)
        if rule:
            assert refused(lambda: inputs(there)) == rule  # noqa: B023
            assert refused(lambda: start(there, version.id)) == rule  # noqa: B023
        else:
            assert inputs(there) == [version.id]
