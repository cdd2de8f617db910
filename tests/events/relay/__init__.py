"""The relay over a real broker: what is on the topics, and what outlives its failures."""
