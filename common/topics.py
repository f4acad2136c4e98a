"""The grammar of topics on the broadcast socket, and of the logs behind them.

    room     NAME 0x00        the room's name as its creator wrote it (NFC)
    inbox    "@" LOGIN 0x00   what is for one account, on all its sessions
    beacon   "~" 11 of A-Z a-z 0-9 - _ 0x00  one session's own; known to that session alone

A topic ends in NUL because ZeroMQ matches by prefix: without it `dev` would hear `devops`. A log is named
like its topic without the NUL. Must not know who may hear a topic.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from typing import Final

from common.limits import NAME_LENGTH

END: Final = b"\0"
INBOX: Final = "@"
BEACON: Final = "~"
LONGEST: Final = 1 + 4 * NAME_LENGTH + 1
"""Bytes of the longest topic there can be: an inbox whose login is of four-byte letters."""
BEACON_BYTES: Final = 8
"""Of the secret behind a beacon. To guess one gains nothing, and libzmq looks through every byte of every topic each
time that a connection is lost."""
_BEACON = re.compile(rb"~[\w-]{11}\0", re.ASCII)


def topic(log: str) -> bytes:
    """The topic on which the events of the room, inbox or beacon called `log` are broadcast."""
    return log.encode() + END


def inbox(login: str) -> str:
    """The name of the inbox of the account `login`."""
    return INBOX + login


def beacon(secret: bytes) -> str:
    """The name of a session's beacon, in base64url; `secret` is `BEACON_BYTES` that only this session is told."""
    return BEACON + urlsafe_b64encode(secret).rstrip(b"=").decode()


def is_beacon(frame: bytes) -> bool:
    """Whether a topic has a beacon's form."""
    return _BEACON.fullmatch(frame) is not None


def split(frame: bytes) -> tuple[str, bytes]:
    """Divide an event frame into the name of its log and its body. Raises `ValueError` if there is no NUL."""
    end = frame.index(END)
    return frame[:end].decode(), frame[end + 1 :]
