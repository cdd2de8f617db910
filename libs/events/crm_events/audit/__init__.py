"""History as evidence: a Merkle tree over each context's log, signed checkpoints of it, proofs.

Nothing here opens or hides anything: encrypted personal values are the business of
`crm_events.sealing`, and the tree is made over the bytes as they are stored.
"""
