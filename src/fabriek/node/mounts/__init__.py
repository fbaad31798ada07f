"""Inputs as file systems: `wire` is the kernel's protocol (FUSE), `nodes` numbers what a version holds, `answers` reads it,
`serving` is the process beside the job, `mounting` puts it in its place and takes it away.
"""
