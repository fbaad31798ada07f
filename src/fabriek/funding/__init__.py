"""Who paid for the machine, what part of it is theirs, and what was spent of it.

giving/        contributions, the shares of the machine that they make, and what each quarter brings
policy/        the rules as dated rows: which share pays for which purpose, caps, what an hour costs; and holding awards to them
ledger         double entry: contribution → share → allocation → hold → usage, sum always zero
resources      the currencies: GPU-hour, CPU-hour, TiB-hour, expert-hour
allocations    what a project may spend, from which share, until when
spending/      credits that run out, lapse and end
classes/       a course with its budget, and a seat each
elsewhere/     what was used at other sites
reports        granted, held and used per share
data/          dated rows: rates.toml, purposes.toml
"""
