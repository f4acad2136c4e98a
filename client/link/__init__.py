"""The headless client: a sans-IO session, one asyncio shell over DEALER and SUB, and `ChatClient` on top.

session.py        the core: bytes and the time in, actions.py out
  calls.py          requests and their answers      heartbeat.py  whether the broker answers
  rooms.py          which rooms one is in           clock.py      the broker's time
  subscriptions.py  topics wanted and granted       logs.py       the order of each log, and its holes
  outbox.py         posts, once and in order        backfill.py   pages of history that fill the holes
transport.py      what a connection is to the rest
connection.py     the sockets, which run the session's actions
line.py           both in one event loop: what is asked and posted becomes awaitable
chat.py           `ChatClient`; room.py `Room`; requests.py the type of each reply; streams.py bounded iterators
updates.py        what a user interface is told; failures.py what can go wrong on this side of the wire
greeting.py       asking a broker for its key, before anything else, over a socket of its own
"""
