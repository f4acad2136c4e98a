"""The gateway for browsers as a child of the broker: what it is told, the key it is let in by, and its process."""
