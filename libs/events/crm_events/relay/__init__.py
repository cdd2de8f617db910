"""Carries a context's log to Kafka: in order, at least once, and never ahead of what is safe."""
