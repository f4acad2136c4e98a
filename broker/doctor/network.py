"""Whether a broker runs and answers; and if none does, whether one could listen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from broker.doctor.findings import Finding, Premises
from broker.wire import probe
from broker.wire.operator import endpoint
from broker.wire.sockets import CannotListen

PATIENCE_S: Final = 10.0
"""Seconds that a running broker has to answer its operator: far more than a turn of a busy one."""


def broker(premises: Premises) -> Iterator[Finding]:
    """The broker on this data directory."""
    data = premises.data
    if not premises.running:
        yield Finding("broker", "ok", f"No broker runs on {data.path}.")
    elif probe.answers(data.operator, PATIENCE_S):
        yield Finding("broker", "ok", "A broker runs, and answers its operator.")
    else:
        yield Finding(
            "broker",
            "problem",
            f"A broker runs, and has not answered its operator for {PATIENCE_S:g} seconds.",
            "Look at its log; if it hangs, end it (kill -9 is safe) and start it again.",
        )


def ports(premises: Premises) -> Iterator[Finding]:
    """The three ports, and the path of the operator's socket, if nobody has them."""
    config = premises.config
    if premises.running:
        return
    try:
        endpoint(premises.data.operator)
    except CannotListen as error:
        yield Finding("ports", "problem", str(error))
    if not config.port:
        yield Finding("ports", "ok", "Three free ports are looked for at every start.")
        return
    why = probe.taken(config.listen, config.port)
    if why is not None:
        yield Finding("ports", "problem", why)
    else:
        yield Finding("ports", "ok", f"Ports {config.port} to {config.port + 2} are free.")
