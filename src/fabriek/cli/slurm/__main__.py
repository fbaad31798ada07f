"""`python -m fabriek.cli.slurm sbatch WORDS…`: what the scripts in the shim's folder start."""

import sys

from fabriek.cli.slurm.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
