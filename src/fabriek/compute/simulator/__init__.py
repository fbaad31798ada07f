"""What would have happened: a trace of jobs, replayed by a virtual clock through the very admission that runs the machine.

traces       the rows of a trace; finished jobs become one
trace_files  a trace from a file: `swf`, or one of the `csv_kinds`, both as `recorded` jobs
machines     the machine and its limits from files; `checking` says what is hardly meant
policies     the order and the shares, by name or from a file
replay       the replay itself
outcomes     waits, utilisation and use per share; the difference between two outcomes
figures      the same as the figures by which schedulers are compared
reporting/   a page and tables of a replay
rehearsing   a past quarter under other shares, for who changes the policy
"""
