"""What a replay came to, to look at and to reckon with: one page without script, and tables.

results   what is reported: each policy's replay, and what of the trace was left out
windows   spans of time: the busiest one, and what lies in equal stretches of a whole
tables    jobs, power and use of shares as rows
files     the tables as Parquet, or as CSV
axes      where numbers are on a drawing, and how they are said
charts    lines over time, and how waits are spread
packing   which lanes of the machine a job took, where nobody counted processors
gantt     who stood where in the busiest time
sections  the parts of the page, each with the table beside its drawing
page      the page
writing   all of it into a folder
folders   a folder that is whole or not there
"""
