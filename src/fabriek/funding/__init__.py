"""Who paid for the machine, what part of it is theirs, and what was spent of it.

giving/        contributions, the shares of the machine that they make, and what each quarter brings
policy/        the rules as dated rows: which share pays for which purpose, caps, what an hour costs; and holding awards to them
ledger         double entry: contribution → share → allocation → hold → usage, sum always zero
resources      the currencies: GPU-hour, CPU-hour, TiB-hour, expert-hour, token
allocations    what a project may spend, from which share, until when
metering/      storage, tokens and experts, read and booked
spending/      what becomes of credits: they run out, lapse, come to their end
reporting/     to funders and to all, burn-down, what is sold against what is there
duties/        reports that awards ask for, extensions, thanks
exporting/     the ledger taken along; auditing/ a link for an auditor
turns          whose turn it is, and from which share; `continuing` an award into a project that is there
classes/       a course with its budget, and a seat each
elsewhere/     what was used at other sites
reports        granted, held and used per share
data/          dated rows: rates.toml, purposes.toml
"""
