"""Builders: they make what a test does not care about."""
