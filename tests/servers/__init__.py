"""Real servers that the tests start: PostgreSQL, an S3 store, and the factory itself."""
