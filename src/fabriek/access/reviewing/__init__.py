"""Judging applications: clocks, checks, experts, a committee's decision."""
