"""Datasets and models as other houses hand them over, read on this machine: documents in Croissant, and folders of the Hugging Face Hub."""
