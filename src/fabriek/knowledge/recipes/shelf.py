"""The recipes that come with Fabriek: folders of files, read once."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from fabriek.knowledge.recipes.recipes import RECIPE_FILE, Recipe, recipe_of

LEFT_OUT = frozenset({"__pycache__"})


@cache
def shipped_recipes() -> Mapping[str, Recipe]:
    """Name → recipe, by name."""
    return recipes_in(files("fabriek.knowledge").joinpath("data", "recipes"))


def recipes_in(folder: Traversable) -> Mapping[str, Recipe]:
    """Each folder with a recipe.toml in it. Raises InvalidInput on a slip in one of them."""
    found = sorted((one for one in folder.iterdir() if one.joinpath(RECIPE_FILE).is_file()), key=lambda one: one.name)
    return {one.name: recipe_of(one.name, dict(_files(one))) for one in found}


def _files(folder: Traversable, above: str = "") -> Iterator[tuple[str, bytes]]:
    for one in sorted(folder.iterdir(), key=lambda each: each.name):
        if one.name in LEFT_OUT:
            continue
        if one.is_dir():
            yield from _files(one, f"{above}{one.name}/")
        else:
            yield f"{above}{one.name}", one.read_bytes()
