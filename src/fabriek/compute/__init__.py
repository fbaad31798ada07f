"""Jobs: what was asked, whether it may start, and how it ended.

requests    what a person asks, checked first
fitting     whether this machine could ever run it, and what comes nearest
gpus        kinds and amounts of GPUs
jobs        the job, its shape, and the table by which its state changes
secrets     a value that jobs may use and nobody reads back
strongbox   where secrets are kept, and whom they are given to
notices     what is to be told of a job, to whom
letters     what a notice says
outbox      notices written with the step they tell of, and taken to be sent
limits      limits on power as they were announced
power       contract, limits and envelope over time; what a job draws
capacity    room on the machine as a step function of time
floor       the same node by node and GPU by GPU; `schedule` holds both, `placement` says where a job stands
snapshot    everything admission looks at
turns       whose turn it is
admission   what may start now, and why the rest waits; `preemption` says who is put back for another
costs       what a job is charged
reasons     the sentences that say so
executors/  processes: on this machine, or by Slurm
simulator/  the same admission over a trace
data/       dated rows: power.toml
"""
