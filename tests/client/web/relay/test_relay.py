"""The relay end to end: a broker, a gateway, browsers on real sockets."""

from __future__ import annotations

from tests.support.relays import Served


async def test_two_browsers_talk(served: Served) -> None:
    ana, bob = await served.person("ana"), await served.person("bob")
    assert ana.hello["resume"] == "reset"
    assert ana.hello["session"]["login"] == "ana"
    seq = await ana.say("lobby", "hola")
    heard = await bob.hears("lobby", "hola")
    assert (heard["kind"], heard["sender"], heard["seq"]) == ("message", "ana", seq)
    assert await ana.hears("lobby", "hola") == heard
