"""Recipes as files: those that come with Fabriek, and every slip in one."""

import ast
import re
import tomllib
from importlib.resources import files

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.knowledge.catalogue import entries
from fabriek.knowledge.recipes.recipes import Expected, recipe_of
from fabriek.knowledge.recipes.shelf import shipped_recipes

CARD = "---\ntitle: Add\nsummary: Adds two numbers.\nkeywords: [sum]\nlanguage: en\n---\nIt adds.\n"
KAART = "---\ntitle: Optellen\nsummary: Telt twee getallen op.\nkeywords: [som]\nlanguage: nl\n---\nHet telt op.\n"
RECIPE = """
command = ["python", "main.py"]
packages = ["numpy>=1.26"]
minutes = 1
time = "10m"
cpus = "count"
memory = "1GiB"
expects = { metric = "sum", at_least = 3 }

[[parameter]]
name = "count"
kind = "integer"
least = 1
most = 4
default = 2
says = { en = "How many.", nl = "Hoeveel." }

[[parameter]]
name = "rate"
kind = "number"
each = true
default = [0.1, 1]
says = { en = "How fast.", nl = "Hoe snel." }
"""


def a_folder(recipe: str = RECIPE, card: str = CARD, kaart: str = KAART) -> dict[str, bytes]:
    return {
        "recipe.toml": recipe.encode(), "card.md": card.encode(), "kaart.md": kaart.encode(), "main.py": b"print(1 + 2)\n"
    }  # fmt: skip


def test_seven_recipes_are_there_with_a_card_in_both_languages_and_what_they_reach() -> None:
    found = shipped_recipes()
    assert list(found) == ["batch", "distributed", "images", "notebook", "sweep", "tabular", "text"]
    for name, recipe in found.items():
        assert recipe.name == name
        assert {"main.py"} <= recipe.files.keys()
        assert recipe.files.keys().isdisjoint({"recipe.toml", "card.md", "kaart.md"})
        assert recipe.expected.metric.encode() in recipe.files["main.py"]
        assert all(
            face.title and face.text and "recipe" in (*face.keywords, "recipe") for face in recipe.faces.values()
        )


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_script_takes_each_parameter_of_its_recipe_and_reaches_for_no_network(name: str) -> None:
    recipe, script = shipped_recipes()[name], shipped_recipes()[name].files["main.py"].decode()
    ast.parse(script)
    assert not re.search(r"https?://(?!127\.0\.0\.1)|requests|urlretrieve|fetch_", script)
    for one in recipe.parameters:
        assert f'"--{one.name}"' in script or f'"--{one.name}=' in script


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_script_has_the_defaults_that_its_recipe_tells(name: str) -> None:
    """Who copies the script and runs it without a word gets what the card promises."""
    recipe, script = shipped_recipes()[name], shipped_recipes()[name].files["main.py"].decode()
    said = dict(re.findall(r'"--(\w+)", type=(?:int|float), default=([\d._]+)', script))
    for one in recipe.parameters:
        if one.name in said and not one.each:
            assert float(said[one.name]) == float(one.default), one.name


def test_the_card_for_the_catalogue_is_found_by_the_words_of_both_languages() -> None:
    for recipe in shipped_recipes().values():
        face = recipe.face
        assert len(face.text) <= entries.TEXT_CHARACTERS_MAX
        assert len(face.keywords) <= entries.KEYWORDS_MAX
        assert len(face.summary) <= entries.SUMMARY_CHARACTERS_MAX
        assert {"recipe", "recept"} <= set(face.keywords)
        assert recipe.faces["nl"].title in face.text


def test_what_comes_with_fabriek_is_in_the_package() -> None:
    folder = files("fabriek.knowledge").joinpath("data", "recipes")
    for name in shipped_recipes():
        assert tomllib.loads(folder.joinpath(name, "recipe.toml").read_text("utf-8"))["minutes"]


def test_a_recipe_is_read() -> None:
    recipe = recipe_of("add", a_folder())
    assert recipe.takes.cpus_for({"count": "3"}) == 3
    assert recipe.expected.words == "sum ≥ 3"
    assert recipe.parameters[1].default == "0.1,1"
    assert recipe.files == {"main.py": b"print(1 + 2)\n"}
    assert recipe.face.keywords == ("sum", "som")


@pytest.mark.parametrize(
    ("installed", "lacking"),
    [({}, 1), ({"numpy": "1.25.9"}, 1), ({"numpy": "1.26"}, 0), ({"numpy": "2.0rc1"}, 0), ({"numpy": "no version"}, 1)],
)
def test_a_package_is_lacking_where_it_is_not_there_or_too_old(installed: dict[str, str], lacking: int) -> None:
    assert len(recipe_of("add", a_folder()).lacking(installed)) == lacking


@pytest.mark.parametrize(
    ("value", "more", "reached"),
    [(0.95, True, True), (0.94999, True, False), (0.95, False, True), (0.951, False, False), (float("nan"), True, False)],
)  # fmt: skip
def test_what_is_expected_counts_on_its_own_bound(value: float, more: bool, reached: bool) -> None:  # noqa: FBT001  # a case
    assert Expected("m", 0.95, more_is_better=more).is_reached(value) is reached


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("minutes = 1", "minuten = 1", "no field 'minuten'"), ("minutes = 1", "minutes = 11", "time is no less"),
        ("minutes = 1", 'minutes = "1"', "time is no less"), ("minutes = 1\n", "", "lacks 'minutes'"),
        ('time = "10m"', 'time = "soon"', "not a duration"), ('memory = "1GiB"', 'memory = "much"', "not a size"),
        ('cpus = "count"', 'cpus = "rate"', "name of an integer parameter"), ('cpus = "count"', "cpus = 0", "from 1 on"),
        ('cpus = "count"', "cpus = true", "from 1 on"), ('"numpy>=1.26"', '"--index x"', "cannot stand"),
        ('"numpy>=1.26"', '"numpy>=>1"', "cannot stand"), ("at_least = 3", "at_leest = 3", "at_least or at_most"),
        ("at_least = 3", "at_least = 3, at_most = 4", "at_least or at_most"), ("at_least = 3", "at_least = nan", "is a number"),
        ("at_least = 3", 'at_least = "3"', "is a number"), ('kind = "integer"', 'kind = "whole"', "not a valid"),
        ('name = "count"', 'name = "Count"', "no name"), ('name = "rate"', 'name = "count"', "same name"),
        ("default = 2", "default = 9", "cannot be 9"), ("default = 2", 'default = "x"', "a whole number"), ("least = 1", "laest = 1", "'laest'"),
        ("least = 1", 'least = "1"', "is a number"), ("least = 1", 'choices = ["1"]', "at a choice"), ("each = true", "each = 1", "true or false"),
        ('nl = "Hoeveel."', 'de = "Wie viele."', "en and nl"), ("command =", "command", "cannot be read"),
        ('command = ["python"', 'session = "chess"\ncommand = ["python"', "no kind of session"),
        ('kind = "number"', 'kind = "data"', "a job for each"),
    ],
)  # fmt: skip
def test_a_slip_in_its_file_is_named(before: str, after: str, told: str) -> None:
    assert before in RECIPE
    with pytest.raises(InvalidInput, match="the recipe add") as refused:
        recipe_of("add", a_folder(RECIPE.replace(before, after, 1)))
    assert told in refused.value.detail
    assert refused.value.fix


@pytest.mark.parametrize(
    ("files_", "told"),
    [
        (a_folder(card="no head"), "no head"), (a_folder(card=CARD.replace("title", "titel")), "titel"),
        (a_folder(kaart=KAART.replace("nl", "en")), "kaart.md"), ({"recipe.toml": RECIPE.encode()}, "lacks 'card.md'"),
        ({"card.md": CARD.encode()}, "lacks 'recipe.toml'"), ({**a_folder(), "recipe.toml": b"\xff"}, "cannot be read"),
    ],
)  # fmt: skip
def test_a_slip_in_its_folder_is_named(files_: dict[str, bytes], told: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        recipe_of("add", files_)
    assert told in refused.value.detail


@pytest.mark.parametrize("name", ["", "Add", "a" * 33, "../add", "1add"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="lower-case"):
        recipe_of(name, a_folder())
