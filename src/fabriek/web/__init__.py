"""What the API and the portal share: the router on which access is declared, who is calling, problems, and idempotency."""
