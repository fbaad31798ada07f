"""Values that jobs may use and nobody reads back.

secrets    the noun, and how a job names one
strongbox  where they are kept, and whom they are given to
store      the SQL
"""
