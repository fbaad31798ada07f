"""The rules of money, as dated rows: which share pays for which purpose, what an hour costs."""
