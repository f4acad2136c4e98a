"""Measurements of the real thing: `python -m bench`, or `make bench`. Nothing here is needed to run Tertulia."""
