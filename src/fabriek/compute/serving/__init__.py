"""Models that answer: a model version behind an address, with keys that have a budget and an end.

served     the noun, and what kind of door a model's files ask for
keys       keys to one served model: budgets, periods, ends
admitting  who may call, and what an answer costs
service    serve, stop, look; make and end keys
store      the SQL
"""
