"""Where jobs run.

contract      what every executor promises
local         runs them on this machine; `warm` asks the program beside the jobs to fork
slurm         runs them on a cluster: `slurm_dialect` is what is asked of it, `slurm_commands` how, `slurm_arrays` many at once
environments  the packages that they see
capabilities  what this machine can do for them
"""
