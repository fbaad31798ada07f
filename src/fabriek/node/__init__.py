"""The program beside each job: opens its inputs, runs it in a sandbox, forwards it to the lab, seals what it leaves.

`warm` forks one supervisor per attempt; `supervisor` is one attempt from start to end; `sandbox` builds the walls, `limits` bounds
what is inside, `forward` runs within them; `inputs` and `outputs` pass the vault's door; `probe` says what this machine can do.
"""
