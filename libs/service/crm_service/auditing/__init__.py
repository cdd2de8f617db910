"""A context's audit as a service has it: who grows the tree, where checkpoints go, who may ask."""
