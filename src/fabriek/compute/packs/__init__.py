"""Jobs for machines that we do not run.

packs    a job packed, and the table by which its state changes
packing  the verbs: packed, sealed, taken back, withdrawn
store    the SQL
"""
