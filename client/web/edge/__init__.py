"""The edge: what of the gateway speaks HTTP to browsers. Must not know rooms, messages, or who may hear what."""
