"""Who gives to the machine, and what part of it each may steer: contributions, shares."""
