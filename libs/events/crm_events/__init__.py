"""The published language of the CRM and the machinery that stores, relays and feeds it.

An event is defined once, in `contracts`; what a context stores is byte for byte what Kafka carries
and what an analyst replays.
"""
