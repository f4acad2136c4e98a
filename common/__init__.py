"""What broker and clients agree on: names, topics, limits, errors, messages, codec, addresses, keys.

Nothing here opens a socket, a database or a terminal, and nothing here knows which side it runs on.
"""
