"""The commands of `tertulia`, one module each with a `run(arguments)` that returns the exit status.

A module is imported when its command runs. Must not know sockets: `client.link` has them.
"""
