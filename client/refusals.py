"""Sentences of refusals and failures, recognised so that they can be said in another language.

The broker, `common` and `client.link` speak English, on the wire as in a program's exceptions. A person is told the
same in the language chosen: the sentence of a class is in the catalog as it stands there, any other is found here, by
its shape if it has details. `tests/client/test_language.py` holds that every sentence they can make is known. Loaded
only where another language than English is spoken. Must not know which code a sentence belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Final

from client.language import N_

SHAPES: Final = (
    # broker.chat
    N_("The old password is wrong."),
    N_("This session asks too often; wait a little."),
    N_("Too many requests come from your network; wait a little."),
    N_("Too many new accounts come from your network; wait a little."),
    N_("Too many tries; wait a little before the next."),
    N_("You write faster than this broker allows; wait a little."),
    N_("You change your status too often; wait a little."),
    N_("Only a gateway that the operator registered may name sessions, or tell of others' addresses."),
    N_("A login has either a password or a token."),
    N_("The room {found} exists already; choose another name."),
    N_("The login {found} exists already; choose another name."),
    N_("The name looks like the room {found}, which exists already; choose another."),
    N_("The name looks like the login {found}, which exists already; choose another."),
    N_("A password has {low} to {high} characters."),
    N_("Only who made the room, or the operator, may do that."),
    N_("Only who made the room, its moderators, or the operator may do that."),
    N_("Only who made the room, or the operator, may say who keeps order in it."),
    N_("{login} keeps order here as well: only who made the room, or the operator, may do that."),
    N_("Who made the room keeps order in it anyway."),
    N_("A room has at most {limit} moderators; let another go first."),
    N_("You are in {count} rooms; leave one first."),
    N_("You have made {count} rooms; delete one first."),
    N_("Nobody can be removed from the default room."),
    N_("To go yourself, leave the room."),
    N_("{login} is not in the room."),
    N_("{login} is not in the room; invite them first."),
    N_("Only who wrote a message may edit it."),
    N_("Only who wrote a message, who made the room, its moderators or the operator may take it back."),
    N_("That message was taken back."),
    N_("A message takes {limit} different emoji; choose one that is there."),
    N_("You keep {count} keys here; forget some first."),
    N_("You keep {count} of {limit} bytes here; forget some first."),
    N_("You search more often than this broker allows; wait a little."),
    N_("There is no word to search for."),
    N_("That search takes too long; give more words, or longer ones."),
    N_("The key of this session lacks the scope {scope}."),
    N_("Only the operator gives the scope gateway; make such a key with: tertulia-broker bot add"),
    N_("A key cannot be given a scope that the key of this session lacks."),
    N_("That key is in use; make a new one."),
    N_("Nobody can hold the other half of that key; make a key pair."),
    N_("{login} has {count} keys; revoke one first."),
    N_("This key logs in by itself; say hello."),
    N_("That session logs in by a key, and would come back; revoke the key."),
    # common
    N_("{scope} is no scope; expected {expected}."),
    N_("A key needs a scope at least; expected {expected}."),
    N_("A key has at most {limit} scopes; read:* and write:* are for all rooms."),
    N_("{path}: this is no key file; make one with: tertulia-broker bot add"),
    N_("{path}: {key} is missing; make a key file with: tertulia-broker bot add"),
    N_("{path}: 'address': {fault}"),
    N_("{path}: 'address': the broker's key is missing."),
    N_("{path}: 'secret' is damaged; restore the file, or make a new key."),
    N_("An address is {scheme}://HOST:PORT/KEY, HOST:PORT or HOST."),
    N_("A broker's key has 52 characters, a to z and 2 to 7."),
    N_("A broker's key ends in 'a' or 'q'; this one was mistyped."),
    N_("{text} is no address: expected {scheme}://HOST:PORT/KEY, HOST:PORT or HOST."),
    N_("{text} is no address: a port lies between 1 and 65533."),
    N_("{text} is no address: {fault}."),
    N_("{path}: cannot be read ({reason})."),
    N_("{path}: cannot be made ({reason})."),
    N_("{path}: others can read this secret; run: chmod 600 {same}"),
    N_("{path}: expected {length} bytes, found {count}; restore it from a backup."),
    N_("{path}: damaged, the two keys are no pair; restore it from a backup."),
    N_("A name has 1 to {limit} characters."),
    N_("A name begins with a letter or a digit."),
    N_("A name holds letters, digits, '_', '-' and '.', but not {character}."),
    N_("A name has at most {limit} combining marks on a letter."),
    N_("What was given is not text in the encoding of this system."),
    N_("A text holds no control characters but line feeds and tabs; found {character}."),
    N_("The text is empty."),
    N_("A text has at most {limit} characters and {bytes} bytes in UTF-8."),
    N_("That is no emoji: a reaction is one symbol."),
    N_("{what} is one line without control characters; found {character}."),
    N_("{what}: something is required."),
    # client.link
    N_("{path} is there already; choose another name, or remove it."),
    N_("{address}: the broker's key is missing; its operator knows the whole address."),
    N_("{room} was joined, and left again meanwhile."),
    N_("No broker answered at {where} within {timeout} s; is it running, and is the address right?"),
    N_(
        "What listens at {where} does not prove the key in the address: it is no Tertulia broker or another "
        "one, or its key has changed, or the address is mistyped."
    ),
    N_("The broker at {where} takes connections but did not answer within {timeout} s; try again."),
    N_("The client was closed."),
    N_("The broker did not answer in time; the message may still arrive, once."),
    N_("The broker did not answer in time; the message was not sent."),
    N_("{limit} messages wait to be sent already; try again when the broker answers."),
    N_("You are no longer in {room}."),
)
"""Each sentence; what stands for `{what}` is a text of the catalog itself, all else is taken over as it is."""

WHAT: Final = (N_("First names"), N_("Surnames"), N_("The topic line"), N_("The client's description"), N_("The key"))
"""What may stand for `{what}`."""


def translated(said: str, translate: Callable[[str], str]) -> str | None:
    """The sentence by `translate`, with its details; None if it is not known."""
    found = translate(said)
    if found != said:
        return found
    for shape in SHAPES:
        match = _pattern(shape).fullmatch(said)
        if match is not None:
            details = match.groupdict()
            if "what" in details:
                details["what"] = translate(details["what"])
            return translate(shape).format(**details)
    return None


@cache
def _pattern(shape: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", shape)
    texts = (re.escape(part) if index % 2 == 0 else f"(?P<{part}>.+?)" for index, part in enumerate(parts))
    return re.compile("".join(texts), re.DOTALL)
