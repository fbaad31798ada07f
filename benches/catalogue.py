"""The catalogue with fifty thousand entries: how fast they are indexed, found and seen.

`python -m benches.catalogue [ENTRIES]`. Entries are the descriptions of Debian's packages in six languages, fetched by apt into a folder of their
own; one in ten is known to one of fifty projects only, and who asks is in three of them. Queries are one to three words of an entry's title or
summary. Wanted: 20,000 indexed a second; p50 2 ms and p99 20 ms with rights applied; a change visible within 1 s.
"""

import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.factories.services import Town, a_town
from tests.servers import postgres

from fabriek.adapters.database import Database, metadata, open_database
from fabriek.kernel.callers import Caller
from fabriek.knowledge.catalogue.entries import Entry, EntryKind, Reach
from fabriek.knowledge.catalogue.store import SqlEntries

ENTRIES, AT_ONCE, QUERIES = 50_000, 5_000, 1_000
HIDDEN, TRIES = 5_000, 200
LANGUAGES = ("en", "de", "fr", "it", "es", "nl")
PROJECTS, MINE = 50, 3
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
PER_SECOND_AT_LEAST, P50_AT_MOST, P99_AT_MOST, VISIBLE_AT_MOST = 20_000, 2.0, 20.0, 1.0


def main() -> int:
    """Prints a line for each measurement; 1 when a promise is not kept."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    with tempfile.TemporaryDirectory(prefix="fabriek-bench-") as named:
        some = list(corpus(Path(named, "apt"), most))
        if not some:
            print("not measured: the catalogue (apt gave no descriptions)")
            return 0
        missed = measured("SQLite", open_database(f"sqlite:///{named}/fabriek.db"), Path(named, "home"), some)
        if reason := postgres.why_absent():
            print(f"only SQLite is measured: {reason}")
        else:
            with postgres.running() as url:
                missed |= measured("PostgreSQL", open_database(url), Path(named, "other"), some)
    return int(missed)


def measured(name: str, database: Database, home: Path, some: Sequence[Entry]) -> bool:
    """Whether a promise was missed."""
    metadata.create_all(database.engine)
    town = a_town(database, home)
    kept = SqlEntries(database)
    begun = time.perf_counter()
    for first in range(0, len(some), AT_ONCE):
        with database.transaction():
            kept.add_many(some[first : first + AT_ONCE])
    rate = len(some) / (time.perf_counter() - begun)
    print(f"{name}: {len(some):,} entries indexed, {rate:,.0f} a second (at least {PER_SECOND_AT_LEAST:,})")
    asker = Caller(
        "per_bench",
        rights=frozenset({"knowledge.view"}),
        project_rights={f"prj_{at}": frozenset[str]() for at in range(MINE)},
    )
    fresh = _words_ready(town, asker)
    took, found = asked(town, asker, some)
    ranked = sorted(took)
    p50, p99 = ranked[len(ranked) // 2], ranked[len(ranked) * 99 // 100]
    print(
        f"{name}: {len(took):,} queries, p50 {p50:.1f} ms (at most {P50_AT_MOST:g}), p99 {p99:.1f} ms (at most {P99_AT_MOST:g}), "
        f"{statistics.mean(found):.0f} found in the mean; its words were read in {fresh:.1f} s beside"
    )
    seen = visible(town, kept, asker, some[0])
    print(f"{name}: a change is found after {seen:.2f} s (at most {VISIBLE_AT_MOST:g})")
    apart, nothing = told_by_time(town, kept, some[0])
    print(
        f"{name}: a word that {HIDDEN:,} hidden entries have and no other takes {apart:.2f} ms, and one that nobody has {nothing:.2f} ms "
        f"(medians of {TRIES} in turns)"
    )
    database.close()
    return rate < PER_SECOND_AT_LEAST or p50 > P50_AT_MOST or p99 > P99_AT_MOST or seen > VISIBLE_AT_MOST


def asked(town: Town, asker: Caller, some: Sequence[Entry]) -> tuple[list[float], list[int]]:
    """Milliseconds of each, and how much was found."""
    chance, took, found = random.Random(7), list[float](), list[int]()  # noqa: S311  # a lot, and the same at every run
    for _ in range(QUERIES):
        one = chance.choice(some)
        words = re.findall(r"\w{3,}", f"{one.title} {one.summary}") or ["server"]
        query = " ".join(chance.sample(words, min(len(words), chance.randint(1, 3))))
        begun = time.perf_counter()
        said = town.services.finding.search(query, by=asker)
        took.append((time.perf_counter() - begun) * 1000)
        found.append(said.total)
    return took, found


def visible(town: Town, kept: SqlEntries, asker: Caller, one: Entry) -> float:
    """Seconds until a new entry is found by a word that nobody has used."""
    with town.services.database.transaction():
        kept.add_many([_entry(10**6, "en", "zzyzxqvw", one.text, random.Random(1))])  # noqa: S311
    begun = time.perf_counter()
    while not town.services.finding.search("zzyzxqvw", by=asker).hits:
        time.sleep(0.01)
    return time.perf_counter() - begun


def told_by_time(town: Town, kept: SqlEntries, one: Entry) -> tuple[float, float]:
    """Milliseconds in which a stranger learns that there is nothing: of a word of many entries that they may not know of, and of no word."""
    hidden = [
        replace(one, id=f"hid_{at}", subject=f"hid_{at}", project="prj_hidden", reach=Reach.PROJECT, text="qzxwvhidden")
        for at in range(HIDDEN)
    ]
    with town.services.database.transaction():
        kept.add_many(hidden)
    stranger = Caller("per_stranger", rights=frozenset({"knowledge.view"}))
    took: dict[str, list[float]] = {"qzxwvhidden": [], "qzxwvnobody": []}
    for _ in range(TRIES):
        for word, times in took.items():
            begun = time.perf_counter()
            found = town.services.finding.search(word, by_meaning=False, by=stranger)
            times.append((time.perf_counter() - begun) * 1000)
            assert not found.hits
    return statistics.median(took["qzxwvhidden"]), statistics.median(took["qzxwvnobody"])


def _words_ready(town: Town, asker: Caller) -> float:
    """Seconds until the words of a large catalogue have been read."""
    begun = time.perf_counter()
    while not town.services.finding.suggest("serv", by=asker):
        time.sleep(0.05)
    return time.perf_counter() - begun


def corpus(folder: Path, most: int) -> Iterator[Entry]:
    """As evenly from the languages as they have them."""
    read = {language: list(_described(file)) for language, file in fetched(folder).items()}
    chance, number = random.Random(7), 0  # noqa: S311  # a lot, and the same at every run
    share = sorted(read, key=lambda language: len(read[language]))
    for at, language in enumerate(share):
        chance.shuffle(read[language])
        for title, text in read[language][: (most - number) // (len(share) - at)]:
            number += 1
            yield _entry(number, language, title, text, chance)


def fetched(folder: Path) -> dict[str, Path]:
    """Language → a file of package descriptions."""
    for name in ("partial", "parts"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    asked = folder / "apt.conf"
    listed = " ".join(f'"{one}";' for one in LANGUAGES)
    asked.write_text(
        f'Dir::State::lists "{folder}";\nDir::Etc::parts "{folder}/parts";\nAcquire::Languages {{ {listed} }};\n'
    )
    subprocess.run(
        ["apt-get", "update"],
        env={"APT_CONFIG": str(asked), "PATH": "/usr/sbin:/usr/bin:/bin"},
        check=False,
        capture_output=True,
    )
    found = {}
    for language in LANGUAGES:
        for file in sorted(folder.glob(f"*_main_i18n_Translation-{language}*"), key=lambda one: one.stat().st_size)[
            -1:
        ]:
            found[language] = file
    return found


def _described(file: Path) -> Iterator[tuple[str, str]]:
    plain = subprocess.run(["/usr/lib/apt/apt-helper", "cat-file", str(file)], check=True, capture_output=True).stdout
    for record in plain.decode("utf-8", "replace").split("\n\n"):
        package = re.search(r"^Package: (.+)$", record, re.MULTILINE)
        described = re.search(r"^Description-(?!md5)\w+: (.*(?:\n .*)*)", record, re.MULTILINE)
        if package and described:
            yield package[1], described[1].replace("\n .\n", "\n").replace("\n ", "\n")


def _entry(number: int, language: str, title: str, text: str, chance: random.Random) -> Entry:
    summary, _, rest = text.partition("\n")
    closed = chance.random() < 0.1
    return Entry(
        f"crd_{number:06}", chance.choice(list(EntryKind)), f"sub_{number}", f"prj_{chance.randrange(PROJECTS)}", "org_bench", "open", title,
        summary[:500], "", "", tuple(title.split("-")[:5]), language, rest[:20_000], BEGIN + timedelta(seconds=number),
        Reach.PROJECT if closed else Reach.EVERYONE,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
