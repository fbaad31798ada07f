"""Where jobs run.

contract      what every executor promises
local         runs them on this machine; `warm` asks the program beside the jobs to fork
slurm         hands them to Slurm: `slurm_dialect` is what it asks of it, by `slurm_commands` or by `slurm_rest`, `slurm_arrays` many at once
environments  the packages that they see
capabilities  what this machine can do for them
"""
