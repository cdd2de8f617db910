"""What every HTTP service shares: principals, problems, idempotency, health, metrics, logging."""
