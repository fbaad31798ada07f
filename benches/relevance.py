"""How well the catalogue answers: sixty judged questions in Dutch and English over eighty-nine entries, by words, by meaning, and by both.

`python -m benches.relevance`. nDCG@10 as of Järvelin and Kekäläinen (2002), with gains 2^grade - 1. The questions and their judgements were
written by hand (`judged.toml`), before any of the orders was looked at. Wanted: both together answer no worse than either alone.
"""

import math
import sys
import tempfile
import time
import tomllib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from tests.factories.services import Town, a_town, with_project
from tests.factories.tables import a_database

from fabriek.kernel.callers import Caller
from fabriek.knowledge.catalogue.entries import Face
from fabriek.knowledge.meaning.encoder import PACKAGE, encoder_here

JUDGED = Path(__file__).with_name("judged.toml")
LOOKED_AT = 10
ORDERS = {"words only": (True, False), "meaning only": (False, True), "both": (True, True)}


def main() -> int:
    """Prints a line for each order; 1 where both together answer worse than one alone."""
    if encoder_here() is None:
        print("not measured: relevance (the extra `meaning` is not installed)")
        return 0
    judged = tomllib.loads(JUDGED.read_text())
    with tempfile.TemporaryDirectory(prefix="fabriek-bench-") as named:
        database = a_database(Path(named, "fabriek.db"))
        town = a_town(database, Path(named, "home"))
        by, project = with_project(town, "hospital")
        names = published(town, by, project, judged["entries"])
        begun, read = time.process_time(), 0
        while count := town.services.meaning.read_some():
            read += count
        rate = read / (time.process_time() - begun)
        print(
            f"{len(names)} entries, {len(judged['questions'])} questions; {PACKAGE} {version(PACKAGE)} read {rate:.0f} entries a second"
        )
        means = {name: _measured(name, town, by, names, judged["questions"]) for name in ORDERS}
        database.close()
    return int(means["both"] < max(means.values()))


def published(town: Town, by: Caller, project: str, entries: Mapping[str, Sequence[str]]) -> Mapping[str, str]:
    """The entry's id → its name among the judged."""
    return {
        town.services.catalogue.publish(project, "guide", name, Face(title, summary, language=language), by=by).id: name
        for name, (language, title, summary) in entries.items()
    }


def _measured(
    name: str, town: Town, by: Caller, names: Mapping[str, str], questions: Mapping[str, Mapping[str, int]]
) -> float:
    by_words, by_meaning = ORDERS[name]
    gained, took = list[float](), list[float]()
    for text, grades in questions.items():
        begun = time.perf_counter()
        found = town.services.finding.search(text, limit=LOOKED_AT, by_words=by_words, by_meaning=by_meaning, by=by)
        took.append((time.perf_counter() - begun) * 1000)
        gained.append(ndcg([names[hit.entry.id] for hit in found.hits], grades))
    mean = sum(gained) / len(gained)
    print(
        f"{name}: nDCG@{LOOKED_AT} {mean:.3f}; {sum(one == 0 for one in gained)} questions without an answer; "
        f"median {sorted(took)[len(took) // 2]:.1f} ms"
    )
    return mean


def ndcg(found: Sequence[str], grades: Mapping[str, int]) -> float:
    """0..1, of the first ten. grades: what is relevant → 1 to 3."""
    best = _gain(sorted(grades.values(), reverse=True))
    return _gain([grades.get(one, 0) for one in found]) / best


def _gain(grades: Sequence[int]) -> float:
    return sum((2**grade - 1) / math.log2(place + 2) for place, grade in enumerate(grades[:LOOKED_AT]))


if __name__ == "__main__":
    sys.exit(main())
