"""Searching by SQL: the two databases' own full text under one contract."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import TextClause, text

from fabriek.adapters.database import Database
from fabriek.knowledge.catalogue.entries import Entry
from fabriek.knowledge.catalogue.store import COLUMNS_OF_ENTRY, entry_from
from fabriek.knowledge.search.index import COUNTED_MAX, Counted, Found, Index
from fabriek.knowledge.search.plan import Form, Plan
from fabriek.knowledge.search.vocabulary import Vocabulary

COLUMNS = ("kind", "language", "label", "organisation")


def index_of(db: Database) -> Index:
    """The index that this database keeps."""
    return SqliteIndex(db) if db.dialect == "sqlite" else PostgresIndex(db)


@lru_cache(maxsize=256)
def _text(said: str) -> TextClause:
    """Kept, since the statement that was made of it is found by it."""
    return text(said)


COUNTED = "select e.number, e.kind, e.language, e.label"
ENTRY = "e.number, " + ", ".join(f"e.{name}" for name in COLUMNS_OF_ENTRY)


class SqlIndex(ABC):
    """What both have in common: who may know of what, what is newest, and counts. The best thousand are asked for with what is counted of them, which
    an index of its own has, and of those on the page all the rest.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    def find(self, plan: Plan, filters: Mapping[str, str], names: Sequence[str]) -> Found:
        known, where, given = self._asked(filters, names)
        given["most"] = COUNTED_MAX + 1
        if plan.is_empty:
            of = " and ".join([known, *where])
            matched = (
                f"{COUNTED} from knowledge_entries e where {of} order by e.published_at desc, e.number desc limit :most"
            )
        else:
            given |= self.asked(plan, names)
            matched = (self.matched_many if plan.finds_many else self.matched)(known, where)
        rows = self._db.plain_rows(_text(matched), given)
        return Found(rows[:COUNTED_MAX], len(rows) > COUNTED_MAX)

    def among(self, numbers: Sequence[int], filters: Mapping[str, str], names: Sequence[str]) -> Sequence[Counted]:
        known, where, given = self._asked(filters, names)
        given |= {f"number_{at}": number for at, number in enumerate(numbers)}
        these = ", ".join(f":number_{at}" for at in range(len(numbers)))
        of = " and ".join([f"e.number in ({these})", known, *where])
        asked = _text(f"{COUNTED} from knowledge_entries e where {of}")
        rows = self._db.plain_rows(asked, given) if numbers else ()
        found = {row[0]: row for row in rows}
        return [found[one] for one in numbers if one in found]

    def entries(self, numbers: Sequence[int], names: Sequence[str]) -> Sequence[tuple[int, Entry]]:
        if not numbers:
            return []
        these = ", ".join(f":number_{at}" for at in range(len(numbers)))
        given = {f"number_{at}": number for at, number in enumerate(numbers)}
        asked = _text(f"select {ENTRY} from knowledge_entries e where e.number in ({these})")  # noqa: S608  # ours
        there = {row[0]: entry_from(row[1:]) for row in self._db.plain_rows(asked, given)}
        return [(one, there[one]) for one in numbers if one in there and there[one].known_to in names]

    def _asked(self, filters: Mapping[str, str], names: Sequence[str]) -> tuple[str, list[str], dict[str, Any]]:
        """The condition that the asker may know of it, those of the filters, and what they are given."""
        given: dict[str, Any] = {f"name_{at}": name for at, name in enumerate(names)}
        given |= {name: value for name, value in filters.items() if name in COLUMNS}
        where = [f"e.{name} = :{name}" for name in COLUMNS if name in filters]
        if keyword := filters.get("keyword"):
            where.append(self.has_keyword)
            given["keyword"] = keyword
        return f"e.known_to in ({', '.join(f':name_{at}' for at in range(len(names)))})", where, given

    def mark(self) -> tuple[int, str]:
        known = "select count(*) as many, max(published_at) as latest, max(number) as newest from knowledge_entries where known_to = 'all'"
        row: Any = self._db.row(_text(known))
        return row.many, f"{row.latest} {row.newest}"

    @property
    @abstractmethod
    def has_keyword(self) -> str:
        """The condition that `:keyword` is one of an entry's."""

    @abstractmethod
    def asked(self, plan: Plan, names: Sequence[str]) -> dict[str, Any]:
        """The parameters by which the engine is asked."""

    @abstractmethod
    def matched(self, known: str, where: Sequence[str]) -> str:
        """The best `:most`, as COUNTED says. known: the condition that the asker may know of it."""

    @abstractmethod
    def matched_many(self, known: str, where: Sequence[str]) -> str:
        """The same of so many that their order by every word would take long: those that have the words in title or keywords, the best first, and
        then the newest.
        """

    @abstractmethod
    def vocabulary(self) -> Vocabulary: ...


class SqliteIndex(SqlIndex):
    """FTS5. What everybody may know of and the rest are two indexes, so that ranks in one tell nothing of the other."""

    has_keyword = "instr(char(10) || lower(e.keywords) || char(10), char(10) || :keyword || char(10)) > 0"

    def asked(self, plan: Plan, names: Sequence[str]) -> dict[str, Any]:
        asked = _in_fts5(plan)
        people = "known_to : (" + " OR ".join(f'"{name}"' for name in names) + ")"
        # All that begins so would be gathered before it is asked who may know of it, and the time would tell.
        whole = _in_fts5(replace(plan, begins=""))
        told = {"asked": asked, "closed": f"{{title keywords summary text}} : ({whole}) AND {people}"}
        if plan.finds_many:
            told |= {
                "top": f"{{title keywords}} : ({asked})",
                "closed_top": f"{{title keywords}} : ({whole}) AND {people}",
            }
        return told

    def matched(self, known: str, where: Sequence[str]) -> str:
        return self._of(_hits(("asked", "closed"), "order by 2", where), known, where)

    def matched_many(self, known: str, where: Sequence[str]) -> str:
        top = _hits(("top", "closed_top"), "order by 2", where)
        rest = _hits(("asked", "closed"), "order by rowid desc", where, ranked=False)
        hits = f"select number, min(rank) as rank from ({top} union all {rest}) group by number"  # noqa: S608  # ours
        return self._of(hits, known, where)

    def _of(self, hits: str, known: str, where: Sequence[str]) -> str:
        index = "" if "keyword" in " ".join(where) else "indexed by knowledge_entries_facets"
        return (
            f"{COUNTED} from ({hits}) h cross join knowledge_entries e {index} on e.number = h.number where {' and '.join([known, *where])} "
            "order by h.rank, e.number desc limit :most"
        )

    def vocabulary(self) -> Vocabulary:
        return Vocabulary(dict(self._db.rows(text("select term, doc from knowledge_index_words"))), self.mark()[0])  # type: ignore[arg-type]  # pairs


def _hits(asked: tuple[str, str], order: str, where: Sequence[str], *, ranked: bool = True) -> str:
    """Number and rank of what matches in each of the two indexes. asked: the parameters by which they are asked."""
    each = (
        ("knowledge_index_open", "bm25(knowledge_index_open, 8, 4, 2, 1)"),
        ("knowledge_index_closed", "bm25(knowledge_index_closed, 8, 4, 2, 1, 0)"),
    )
    # The best of each are enough, unless a filter drops some.
    best = "" if where else f"{order} limit :most"
    return " union all ".join(
        f"select * from (select rowid as number, {rank if ranked else '0'} as rank from {table} where {table} match :{name} {best})"  # noqa: S608
        for (table, rank), name in zip(each, asked, strict=True)
    )


class PostgresIndex(SqlIndex):
    """Its own full text. A rank is made of the entry alone, so that it tells nothing of others. What everybody may know of is found by its words; the
    rest by who may know of it, and its words are looked at then: so the time tells nothing of what is hidden.
    """

    has_keyword = "position(chr(10) || :keyword || chr(10) in chr(10) || lower(e.keywords) || chr(10)) > 0"

    def asked(self, plan: Plan, names: Sequence[str]) -> dict[str, Any]:  # noqa: ARG002  # who may know is a condition
        return {"asked": _in_tsquery(plan)}

    def matched(self, known: str, where: Sequence[str]) -> str:
        return self._of(_words_of("order by rank, number desc", known, where), known, where)

    def matched_many(self, known: str, where: Sequence[str]) -> str:
        top = _words_of("order by rank, number desc", known, where, of="ts_filter(i.found, '{a,b}')")
        rest = _words_of("order by number desc", known, where, ranked=False)
        hits = f"select number, min(rank) as rank from (({top}) union all ({rest})) hits group by number"  # noqa: S608  # ours
        return self._of(hits, known, where)

    def _of(self, hits: str, known: str, where: Sequence[str]) -> str:
        # What matches is found first, whatever the database believes of a table that it has not counted yet.
        of = " and ".join([known, *where])
        return (
            f"with h as materialized ({hits}) {COUNTED} from h join knowledge_entries e using (number) where {of} "
            "order by h.rank, e.number desc limit :most"
        )

    def vocabulary(self) -> Vocabulary:
        words = (
            "select word, ndoc from ts_stat('select i.found from knowledge_index i join knowledge_entries e using (number) "
            "where e.known_to = ''all''')"
        )
        return Vocabulary(dict(self._db.rows(text(words))), self.mark()[0])  # type: ignore[arg-type]  # pairs


def _words_of(order: str, known: str, where: Sequence[str], *, ranked: bool = True, of: str = "i.found") -> str:
    """Number and rank of what matches `:asked`. of: the words in which it is looked for."""
    query = "to_tsquery('simple', :asked)"
    rank = f"-ts_rank('{{0.1, 0.2, 0.4, 1.0}}', {of}, {query}, 1)" if ranked else "0"
    # The best are enough, unless a filter drops some.
    best = "" if where else f"{order} limit :most"
    known = known.replace("e.known_to", "i.known_to")
    return " union all ".join(
        f"(select i.number, {rank} as rank from knowledge_index i where {apart} and {of} @@ {query} {best})"  # noqa: S608  # ours
        for apart in ("i.known_to = 'all'", f"i.known_to <> 'all' and {known}")
    )


def _in_fts5(plan: Plan) -> str:
    """Every word is quoted, so that none is an operator."""

    def form(one: Form) -> str:
        if one.adjacent:
            return '"' + " ".join(one.words) + '"'
        return "(" + " AND ".join(f'"{word}"' for word in one.words) + ")"

    return _put(plan, form, lambda word: f'"{word}" *', either=" OR ", both=" AND ", without=" NOT ")


def _in_tsquery(plan: Plan) -> str:
    """Words are letters and digits, so that none is an operator."""

    def form(one: Form) -> str:
        return "(" + (" <-> " if one.adjacent else " & ").join(one.words) + ")"

    return _put(plan, form, lambda word: f"{word}:*", either=" | ", both=" & ", without=" & !")


def _put(plan: Plan, form: Any, begins: Any, *, either: str, both: str, without: str) -> str:
    groups = [[form(one) for one in group] for group in plan.groups]
    if plan.begins:
        typed = next(at for at, group in enumerate(plan.groups) if group[0].words == (plan.begins,))
        groups[typed].append(begins(plan.begins))
    said = (either if plan.any_of else both).join(f"({either.join(group)})" for group in groups)
    if plan.without:
        return f"({said}){without}({either.join(form(one) for one in plan.without)})"
    return said
