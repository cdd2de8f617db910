"""Other people's software on the same work: each in a process and a virtual environment of its own.

`python -m tests.bench` makes that environment, build/peers, when a benchmark first needs it. The
programs here that run inside it (`eventsource_appending`, `quix_folding`) import nothing of ours.
"""
