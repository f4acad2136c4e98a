"""The guarantees under fire: seeded faults, hostile peers and a checker that decides afterwards.

`python -m tests.faults` lists the scenarios; each prints its figures, which `docs/GUARANTEES.md` quotes, and ends
with status 1 if a promise was broken. The test modules here run each of them briefly.
"""
