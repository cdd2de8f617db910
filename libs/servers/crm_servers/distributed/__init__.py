"""The distributed form on one machine: `up` and `down`, by Docker Compose or by Supervisor."""
