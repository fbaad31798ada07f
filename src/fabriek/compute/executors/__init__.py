"""Where jobs run.

contract      what every executor promises
local         runs them on this machine; `warm` asks the program beside the jobs to fork
environments  the packages that they see
capabilities  what this machine can do for them
"""
