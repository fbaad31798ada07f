"""Technology without business words: the database, the blob stores, the keys, logging."""
