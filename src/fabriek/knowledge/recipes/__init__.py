"""Recipes: jobs that are ready to run, each with a card, what it is expected to reach, and what it costs."""
