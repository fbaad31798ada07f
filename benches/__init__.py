"""One script per figure that the README quotes; `python -m benches` runs them all and prints ratios of one run."""
