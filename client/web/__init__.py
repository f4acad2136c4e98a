"""The gateway: what speaks HTTP on one side and is a client of the broker on the other. Must not know the broker."""
