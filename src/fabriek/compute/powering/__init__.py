"""What keeps the draw below the envelope while jobs run: the ladder, the grid operator's messages, the meter, and the record of each quarter of an
hour.
"""
