"""The headless client: a sans-IO session, one asyncio shell over DEALER and SUB, and `ChatClient` on top.

session.py        the core: bytes and the time in, actions out
  calls.py          requests and their answers      logs.py     the order of each log, and its holes
  subscriptions.py  topics wanted and granted       rooms.py    which rooms one is in
  outbox.py         posts, once and in order        clock.py    the broker's time
connection.py     the sockets; the only module here that imports zmq
chat.py           `ChatClient`; room.py `Room`; streams.py bounded iterators; updates.py what a UI is told
"""
