"""The terminal client: a full screen on a terminal, line in and line out elsewhere (`client.tui.app`).

Importing this package loads nothing; the screen's library is loaded by the modules that draw.
"""
