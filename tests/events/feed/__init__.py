"""The feed's port: one suite over the stores' logs and over Kafka, and what Kafka adds."""
