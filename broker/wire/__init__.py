"""Sockets and threads around the rules: what arrives, what leaves, and what is done aside.

Everything here runs `broker.chat` and knows nothing of what a room or an account is.

    sockets.py     makes the network sockets, every option with its reason
    zap.py         admits connections and names them by their public key
    commands.py    the ROUTER: requests in, replies out
    broadcast.py   the XPUB: subscriptions granted, events out
    greeting.py    the one question that is answered in the clear
    operator.py    the operator's socket on this machine
    peers.py       connections as descriptors: alive or lost, and how to cut one
    carrier.py     carries out what the rules ask for
    reactor.py     the one thread that owns all of these
    bell.py        wakes that thread from the others
    workers.py     the threads that hash passwords and read history
    passwords.py   how a password is kept and checked
"""
