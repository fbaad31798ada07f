"""The SQL of one posting: its own row, its lines, and the balances that they move, in one go."""

from typing import Any

from sqlalchemy import BigInteger, BindParameter, bindparam

from fabriek.adapters.instants import Instant
from fabriek.adapters.prepared import Binds
from fabriek.funding.ledger import BELOW_ZERO

NEVER_NEGATIVE = "funding_never_negative"
"""The name of the database's own rule."""

LINES_AT_ONCE = 40
"""Lines of a posting that is written so."""

_MAY_NOT = " and ".join(f"m.account not like '{kind}:%'" for kind in sorted(BELOW_ZERO))
_STANDS = """coalesce((select b.amount_micro from funding_balances as b
    where b.account = m.account and b.resource = m.resource), 0)"""


def how_to_post(lines: int, moves: int) -> tuple[list[str], Binds]:
    """The statements, each made where the one before it added something, and their parameters that are no texts; of a posting of so many
    lines that moves so many balances.

    Nothing is added where its key stands in the ledger, or where an account that may not would fall below zero. Balances come last, since
    whoever else moves one waits until this is durable; and in one order, so that two never wait for each other in a ring.
    """
    entered = ", ".join(f"(:id_{at}, :account_{at}, :resource_{at}, :amount_{at})" for at in range(lines))
    moved = ", ".join(f"(:of_{at}, :what_{at}, :more_{at})" for at in range(moves))
    given = f"(select column1 as account, column2 as resource, column3 as more from (values {moved}) as told) as m"  # noqa: S608  # ours
    posted = f"""insert into funding_postings ("transaction", key) select :transaction, :key
        where not exists (select 1 from {given} where m.more < 0 and {_MAY_NOT} and {_STANDS} + m.more < 0)
        on conflict (key) do nothing"""  # noqa: S608  # ours
    entries = f"""insert into funding_entries (id, "transaction", account, resource, amount_micro, at, memo, job)
        select column1, :transaction, column2, column3, column4, :at, :memo, :job
        from (values {entered}) as told where {{added}}"""  # noqa: S608  # ours
    # A row that is there is proposed with what it would come to: the database holds what is proposed to its rule too.
    balances = f"""insert into funding_balances (account, resource, amount_micro)
        select m.account, m.resource, m.more + case when m.more < 0 then {_STANDS} else 0 end
        from {given} where {{added}} order by m.account, m.resource
        on conflict (account, resource) do update set amount_micro = funding_balances.amount_micro
            + (select m.more from {given} where m.account = excluded.account and m.resource = excluded.resource)"""  # noqa: S608  # ours
    numbers = [f"amount_{at}" for at in range(lines)] + [f"more_{at}" for at in range(moves)]
    typed: list[BindParameter[Any]] = [bindparam(name, type_=BigInteger) for name in numbers]
    return [posted, entries, balances], [bindparam("at", type_=Instant), *typed]
