"""Searches that people keep, and what is new in them."""
