"""Searching by SQL: the two databases' own full text under one contract."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import TextClause, bindparam, select, text

from fabriek.adapters.database import Database
from fabriek.knowledge.catalogue.entries import Entry
from fabriek.knowledge.catalogue.store import entries, entry_of
from fabriek.knowledge.search.index import COUNTED_MAX, FACETS, Found, Index
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
_NUMBERED = select(entries).where(entries.c.number.in_(bindparam("numbers", expanding=True)))


class SqlIndex(ABC):
    """What both have in common: who may know of what, what is newest, and counts. The best thousand are asked for with what is counted of them, which
    an index of its own has, and of those on the page all the rest.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    def find(
        self, plan: Plan, filters: Mapping[str, str], names: Sequence[str], *, limit: int, offset: int = 0
    ) -> Found:
        given = {f"name_{at}": name for at, name in enumerate(names)} | {"most": COUNTED_MAX + 1}
        given |= {name: value for name, value in filters.items() if name in COLUMNS}
        where = [f"e.{name} = :{name}" for name in COLUMNS if name in filters]
        if keyword := filters.get("keyword"):
            where.append(self.has_keyword)
            given["keyword"] = keyword
        known = f"e.known_to in ({', '.join(f':name_{at}' for at in range(len(names)))})"
        if plan.is_empty:
            of = " and ".join([known, *where])
            matched = (
                f"{COUNTED} from knowledge_entries e where {of} order by e.published_at desc, e.number desc limit :most"
            )
        else:
            given |= self.asked(plan, names)
            matched = self.matched(known, where)
        rows = self._db.plain_rows(_text(matched).bindparams(**given))
        counted = rows[:COUNTED_MAX]
        facets = {name: Counter(row[at] for row in counted if row[at]) for at, name in enumerate(FACETS, 1)}
        page = self._entries([row[0] for row in counted[offset : offset + limit]], names)
        return Found(page, len(counted), len(rows) > COUNTED_MAX, facets)

    def _entries(self, numbers: Sequence[int], names: Sequence[str]) -> Sequence[Entry]:
        """In this order, without any that was taken back or hidden meanwhile."""
        there = {row.number: entry_of(row) for row in self._db.rows(_NUMBERED, {"numbers": list(numbers)})}
        return [there[one] for one in numbers if one in there and there[one].known_to in names]

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
    def vocabulary(self) -> Vocabulary: ...


class SqliteIndex(SqlIndex):
    """FTS5. What everybody may know of and the rest are two indexes, so that ranks in one tell nothing of the other."""

    has_keyword = "instr(char(10) || lower(e.keywords) || char(10), char(10) || :keyword || char(10)) > 0"

    def asked(self, plan: Plan, names: Sequence[str]) -> dict[str, Any]:
        asked = _in_fts5(plan)
        people = " OR ".join(f'"{name}"' for name in names)
        return {"asked": asked, "closed": f"{{title keywords summary text}} : ({asked}) AND known_to : ({people})"}

    def matched(self, known: str, where: Sequence[str]) -> str:
        each = (
            ("knowledge_index_open", "bm25(knowledge_index_open, 8, 4, 2, 1)", ":asked"),
            ("knowledge_index_closed", "bm25(knowledge_index_closed, 8, 4, 2, 1, 0)", ":closed"),
        )
        # The best of each are enough, unless a filter drops some.
        best = "" if where else "order by 2 limit :most"
        hits = " union all ".join(
            f"select * from (select rowid as number, {rank} as rank from {table} where {table} match {asked} {best})"  # noqa: S608  # ours
            for table, rank, asked in each
        )
        index = "" if "keyword" in " ".join(where) else "indexed by knowledge_entries_facets"
        return (
            f"{COUNTED} from ({hits}) h cross join knowledge_entries e {index} on e.number = h.number where {' and '.join([known, *where])} "
            "order by h.rank, e.number desc limit :most"
        )

    def vocabulary(self) -> Vocabulary:
        return Vocabulary(dict(self._db.rows(text("select term, doc from knowledge_index_words"))), self.mark()[0])  # type: ignore[arg-type]  # pairs


class PostgresIndex(SqlIndex):
    """Its own full text. A rank is made of the entry alone, so that it tells nothing of others."""

    has_keyword = "position(chr(10) || :keyword || chr(10) in chr(10) || lower(e.keywords) || chr(10)) > 0"

    def asked(self, plan: Plan, names: Sequence[str]) -> dict[str, Any]:  # noqa: ARG002  # who may know is a condition
        return {"asked": _in_tsquery(plan)}

    def matched(self, known: str, where: Sequence[str]) -> str:
        return (
            f"{COUNTED} from knowledge_index i join knowledge_entries e using (number), to_tsquery('simple', :asked) asked "
            f"where i.found @@ asked and {' and '.join([known, *where])} "
            "order by ts_rank('{0.1, 0.2, 0.4, 1.0}', i.found, asked, 1) desc, e.number desc limit :most"
        )

    def vocabulary(self) -> Vocabulary:
        words = (
            "select word, ndoc from ts_stat('select i.found from knowledge_index i join knowledge_entries e using (number) "
            "where e.known_to = ''all''')"
        )
        return Vocabulary(dict(self._db.rows(text(words))), self.mark()[0])  # type: ignore[arg-type]  # pairs


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
