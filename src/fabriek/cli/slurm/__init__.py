"""Slurm's command line over the factory's API: `sbatch squeue sacct scancel scontrol sinfo srun`, in the forms that released clients call.

`command` dispatches · `options` reads words and `#SBATCH` lines · `states` our states in Slurm's words · `fields` what a job shows under
each of Slurm's field names · one module per command.
"""
