"""Who gives to the machine, what part of it each may steer, and what each quarter brings."""
