"""Jobs: what was asked, whether it may start, and how it ended.

requests    what a person asks, checked first
fitting     whether this machine could ever run it, and what comes nearest
gpus        kinds and amounts of GPUs
jobs        the job, its shape, and the table by which its state changes
limits      limits on power as they were announced
power       contract, limits and envelope over time; what a job draws
capacity    room on the machine as a step function of time
floor       the same node by node and GPU by GPU; `schedule` holds both, `placement` says where a job stands
contenders  who has room on the machine, and who waits for it
snapshot    everything admission looks at
board       what stands and what is free beside it; made anew for a round, or kept by whoever plays time forward
order       which of a share's jobs goes first; `turns` says which share's turn it is
admission   what may start now, and why the rest waits; `preemption` says who is put back for another
costs       what a job is charged; `bills` bounds it by the machine's accounts, `receipts` say what became of it
queue       the queue as it stands, for whoever looks; `free` says what is free over the next days
reasons     the sentences that say so
secrets/    values that jobs may use and nobody reads back
notices/    telling people and programs what becomes of a job
serving/    models that answer, and the keys to them
packs/      jobs for machines that we do not run
accounts/   those of a cluster, kept in step with projects
executors/  processes: on this machine, or by Slurm
simulator/  the same admission over a trace
forecasting/ the same admission played forward: when a job will probably start
data/       dated rows: power.toml
"""
