"""Bounds on a job's memory, processes and cores.

limiter     what every way promises, and the choice of the first that holds on this machine
cgroup_v1   a control group below memory, pids and cpu each
cgroup_v2   one control group with all three
rlimits     resource limits and a look at the whole tree, where no control group can be made
groups      what both control groups share: finding our own, ending what is inside, removing them
"""
