"""What would have happened: a trace of jobs, replayed by a virtual clock through the very admission that runs the machine.

traces    the rows of a trace; finished jobs become one
replay    the machine, the policy, and the replay itself
outcomes  waits, utilisation and use per share; the difference between two outcomes
rehearsing  a past quarter under other shares, for who changes the policy
"""
