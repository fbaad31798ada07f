"""Sharing: terms, requests for access, and the agreements that they come to."""
