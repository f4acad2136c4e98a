"""How long a key that is revoked still hears, and is still served. Must not know how the broker cuts it off."""

from __future__ import annotations

import time

import zmq

from bench.members import ROOM, Member, send_frame
from bench.processes import broker
from common import keys, messages, topics
from common.errors import ChatError

_LOUD = topics.topic(ROOM)


def revoking(quick: bool) -> None:
    """Revoke keys whose holders hear a busy room and go on asking, one after the other."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    rounds = []
    with broker() as server:
        owner = Member(context, server.address, "owner", ears=False)
        speaker = Member(context, server.address, "speaker", ears=False)
        for round in range(10 if quick else 50):
            pair = keys.generate()
            scopes = [f"read:{ROOM}", f"write:{ROOM}"]
            added = owner.ask(messages.KeyAdd(key=pair.public, name="bench", scopes=scopes))
            assert isinstance(added, messages.KeyAdded)
            holder = Member(context, server.address, "owner", registered=pair)
            rounds.append(_after(owner, speaker, holder, added.key.id, round))
            holder.dealer.close()
            holder.sub.close()
    context.destroy(0)
    answered, granted, heard = (max(column) * 1e3 for column in zip(*rounds, strict=True))
    print(
        f"a key revoked while it hears, worst of {len(rounds)}     {answered:9.1f} ms to the answer   "
        f"{granted:.1f} ms to the last request granted   {heard:.1f} ms to the last event heard"
    )


def _after(owner: Member, speaker: Member, holder: Member, key: int, round: int) -> tuple[float, float, float]:
    """Seconds from the request to revoke to its answer, to the last request that was granted, and to the last of the
    room that was heard."""
    number = round * 1_000_000
    speaker.dealer.send(send_frame(number, "can you hear me?"))
    while not holder.sub.recv().startswith(_LOUD):
        pass
    begun = time.perf_counter()
    owner.ask(messages.KeyRevoke(key=key))
    answered = time.perf_counter()
    granted = heard = begun
    while time.perf_counter() - begun < 0.5:
        number += 1
        speaker.dealer.send(send_frame(number, "still there?"))
        if speaker.dealer.poll(50):
            speaker.dealer.recv()
        try:
            holder.ask(messages.Ping())
            granted = time.perf_counter()
        except ChatError:
            pass
        while holder.sub.poll(0):
            if holder.sub.recv().startswith(_LOUD):
                heard = time.perf_counter()
    return answered - begun, granted - begun, heard - begun
