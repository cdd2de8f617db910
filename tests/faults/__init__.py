"""The harness that tries to break it: faults from one seed, under load, and what must hold after.

`make faults` runs scenarios over real servers and writes `build/faults.json`; `tests.faults.sim`
does the like over fakes with every test run, and `tests.faults.bugs` shows that it sees what it
is there to see. Nothing fails on a timing; what fails is an invariant.
"""
