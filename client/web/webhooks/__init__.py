"""Webhooks: what other programs post into rooms, and what of rooms is posted to them. Must not know the terminal."""
