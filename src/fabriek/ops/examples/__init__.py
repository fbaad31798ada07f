"""What the demo runs: scripts as a user would write them. They import nothing of Fabriek."""
