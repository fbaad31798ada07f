"""Labels: the lattice, the policy that says it, places, and how a label is lowered by two named people, and what waits for the second."""
