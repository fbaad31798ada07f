"""Telling people and programs what becomes of a job.

notices  what is to be told of a job, to whom, on which occasion
letters  what a notice says
outbox   notices written with the step they tell of, and taken to be sent
store    the SQL
"""
