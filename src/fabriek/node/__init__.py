"""The program beside each job: opens its inputs, runs it in a sandbox, forwards it to the lab, seals what it leaves.

warm        forks one supervisor per attempt
supervisor  one attempt from start to end
room        the memory-backed folders of an attempt, and the uid that they belong to
inputs, outputs  how data comes in and results go out; `vault` is the real way
variables   what the command finds in its environment; `devices` its GPUs
sandbox     the walls, and `bubblewrap` that builds them
seccomp     the filter of system calls, in the language of `bpf`, by the numbers of `syscalls`
limits/     bounds on memory, processes and cores
child       the tree within: started, drained, ended; `stopping` says when, `inside` tells it, `pipes` lead there and back
logs        its output, kept up to a bound
beside      processes that serve the job a socket: `relay`, to a lab on another host, and `proxy`
proxy       the way to hosts that a job named: `proxy_requests` reads what it asks, `addresses` judges where a name leads
forward     what runs first within the walls; there too `gang`, for a job of several nodes, and `slurm_inside`
images/     a job in an image: its files unpacked, and laid in place of the machine's
probe       what this machine can do
"""
