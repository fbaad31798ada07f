"""Trainings as people write them: nothing in them knows which server they log to."""
