"""The log as consumers see it: batches in order, from Kafka or from the stores themselves."""
