"""Base models: brought in from outside with a card and a licence, kept as files in revisions, read by the clients of the Hugging Face Hub."""
