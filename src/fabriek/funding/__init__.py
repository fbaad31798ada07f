"""Who paid for the machine, what part of it is theirs, and what was spent of it.

contributions  what a funder gave, and how far the money is: applied, granted, received, withdrawn
shares         a funder's part of the capacity; parts that sum to exactly one
purposes       which share may pay for which purpose
allocations    what a project may spend, from which share, until when
resources      the currencies: GPU-hour, CPU-hour, TiB-hour, expert-hour
rates          what a job costs, at worst and in the end
ledger         double entry: contribution → share → allocation → hold → usage, sum always zero
reports        granted, held and used per share
data/          dated rows: rates.toml, purposes.toml
"""
