"""What dies while others work, round after round. `make faults` runs many rounds; the contract tests run a few of the same.

witness      what jobs themselves wrote down
load         jobs that are handed over and followed while something dies
slurm        the rounds on a cluster
restarts     a server that is killed while jobs run, and started again
dying        a server that is killed while it hands over
"""
