"""Whose part of the machine is how large: a tree of shares, what each may take at most, what it uses now, and what it used lately.

A share that took more than its part while others left it unused pays that back: for a while its part counts as smaller, and theirs as larger.
"""
