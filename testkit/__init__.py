"""The test kit for bots: people, rooms and time around a bot, in memory by the broker's own rules, or on a real broker.

The only package that knows both the broker and the client. Must not know pytest, but for `plugin.py`.
"""
