"""Searching by SQL: the two databases' own full text under one contract."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.sql.selectable import TextualSelect

from fabriek.adapters.database import Database
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


@lru_cache(maxsize=256)
def _entries(said: str) -> TextualSelect:
    return text(said).columns(*entries.c)


class SqlIndex(ABC):
    """What both have in common: who may know of what, what is newest, and counts."""

    facets_from = "knowledge_entries e"

    def __init__(self, db: Database) -> None:
        self._db = db

    def find(
        self, plan: Plan, filters: Mapping[str, str], names: Sequence[str], *, limit: int, offset: int = 0
    ) -> Found:
        given = {f"name_{at}": name for at, name in enumerate(names)} | {"most": COUNTED_MAX + 1}
        given |= {
            "limit": limit,
            "offset": offset,
            **{name: value for name, value in filters.items() if name in COLUMNS},
        }
        where = [f"e.{name} = :{name}" for name in COLUMNS if name in filters]
        if keyword := filters.get("keyword"):
            where.append(self.has_keyword)
            given["keyword"] = keyword
        known = f"e.known_to in ({', '.join(f':name_{at}' for at in range(len(names)))})"
        if plan.is_empty:
            ordered, counted = (
                self._newest([known, *where]),
                f"knowledge_entries e where {' and '.join([known, *where])}",
            )
        else:
            given |= self.asked(plan, names)
            ordered, counted = self.ranked(known, where), self.counted(known, where)
        rows = self._db.rows(_entries(ordered), given)
        kinds = f"select e.kind, e.language, e.label from {counted} limit :most"  # noqa: S608  # ours
        many = f"select kind, language, label, count(*) as many from ({kinds}) each group by 1, 2, 3"  # noqa: S608  # ours
        each = self._db.rows(_text(many), given)
        facets, total = {name: Counter[str]() for name in FACETS}, 0
        for row in each:
            total += row.many
            for name in FACETS:
                facets[name][getattr(row, name)] += row.many
        return Found([entry_of(row) for row in rows], min(total, COUNTED_MAX), total > COUNTED_MAX, facets)

    def mark(self) -> tuple[int, str]:
        known = "select count(*) as many, max(published_at) as latest, max(number) as newest from knowledge_entries where known_to = 'all'"
        row: Any = self._db.row(_text(known))
        return row.many, f"{row.latest} {row.newest}"

    def _newest(self, where: Sequence[str]) -> str:
        return (
            f"select e.* from knowledge_entries e where {' and '.join(where)} "  # noqa: S608  # ours
            "order by e.published_at desc, e.number desc limit :limit offset :offset"
        )

    @property
    @abstractmethod
    def has_keyword(self) -> str:
        """The condition that `:keyword` is one of an entry's."""

    @abstractmethod
    def asked(self, plan: Plan, names: Sequence[str]) -> dict[str, Any]:
        """The parameters by which the engine is asked."""

    @abstractmethod
    def ranked(self, known: str, where: Sequence[str]) -> str:
        """The ids, best first. known: the condition that the asker may know of it."""

    @abstractmethod
    def counted(self, known: str, where: Sequence[str]) -> str:
        """What follows `from`, with the entry as `e`: all that was found."""

    @abstractmethod
    def vocabulary(self) -> Vocabulary: ...


class SqliteIndex(SqlIndex):
    """FTS5. What everybody may know of and the rest are two indexes, so that ranks in one tell nothing of the other."""

    has_keyword = "instr(char(10) || lower(e.keywords) || char(10), char(10) || :keyword || char(10)) > 0"

    def asked(self, plan: Plan, names: Sequence[str]) -> dict[str, Any]:
        asked = _in_fts5(plan)
        people = " OR ".join(f'"{name}"' for name in names)
        return {"asked": asked, "closed": f"{{title keywords summary text}} : ({asked}) AND known_to : ({people})"}

    def ranked(self, known: str, where: Sequence[str]) -> str:
        # Those who may know of nothing that is closed are told at once; the best of each are enough, unless a filter drops some.
        each = (
            ("knowledge_index_open", "bm25(knowledge_index_open, 8, 4, 2, 1)", ":asked"),
            ("knowledge_index_closed", "bm25(knowledge_index_closed, 8, 4, 2, 1, 0)", ":closed"),
        )
        best = "" if where else "order by 2 limit :limit + :offset"
        hits = " union all ".join(
            f"select * from (select rowid as number, {rank} as rank from {table} where {table} match {asked} {best})"  # noqa: S608  # ours
            for table, rank, asked in each
        )
        return (
            f"select e.* from ({hits}) h cross join knowledge_entries e on e.number = h.number where {' and '.join([known, *where])} "  # noqa: S608  # ours
            "order by h.rank, e.number desc limit :limit offset :offset"
        )

    def counted(self, known: str, where: Sequence[str]) -> str:
        most = "" if where else "limit :most"
        hits = " union all ".join(
            f"select * from (select rowid as number from {table} where {table} match {asked} {most})"  # noqa: S608  # ours
            for table, asked in (("knowledge_index_open", ":asked"), ("knowledge_index_closed", ":closed"))
        )
        index = "" if "keyword" in " ".join(where) else "indexed by knowledge_entries_facets"
        return f"({hits}) h cross join knowledge_entries e {index} on e.number = h.number where {' and '.join([known, *where])}"

    def vocabulary(self) -> Vocabulary:
        return Vocabulary(dict(self._db.rows(text("select term, doc from knowledge_index_words"))), self.mark()[0])  # type: ignore[arg-type]  # pairs


class PostgresIndex(SqlIndex):
    """Its own full text. A rank is made of the entry alone, so that it tells nothing of others."""

    has_keyword = "position(chr(10) || :keyword || chr(10) in chr(10) || lower(e.keywords) || chr(10)) > 0"

    def asked(self, plan: Plan, names: Sequence[str]) -> dict[str, Any]:  # noqa: ARG002  # who may know is a condition
        return {"asked": _in_tsquery(plan)}

    def ranked(self, known: str, where: Sequence[str]) -> str:
        return (
            "select e.* from knowledge_index i join knowledge_entries e using (number), to_tsquery('simple', :asked) asked "  # noqa: S608  # ours
            f"where i.found @@ asked and {' and '.join([known, *where])} "
            "order by ts_rank('{0.1, 0.2, 0.4, 1.0}', i.found, asked, 1) desc, e.number desc limit :limit offset :offset"
        )

    def counted(self, known: str, where: Sequence[str]) -> str:
        return (
            "knowledge_index i join knowledge_entries e using (number), to_tsquery('simple', :asked) asked "
            f"where i.found @@ asked and {' and '.join([known, *where])}"
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
