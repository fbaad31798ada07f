"""The vector kit of docs/spec: what makes it (`python -m tests.vectors`), and two readers that must agree with it."""
