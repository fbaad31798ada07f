"""Use that is read and not submitted: what datasets hold by the hour, what served models read and write. Booked to whoever pays for it."""
