"""The read half of the Hugging Face Hub's interface, as its released clients speak it: a project's base models, and nothing else."""
