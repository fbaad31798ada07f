"""The smallest shared base: errors, clock, ids, units, callers, pages. It knows nothing of the areas above it."""
