#!/bin/sh
# One attempt of a job. Options are given to sbatch as arguments; inputs, limits and walls are the supervisor's work.
umask 077
exec /usr/bin/python3 -m fabriek.node attempt /srv/jobs/job_01-1/job.json
