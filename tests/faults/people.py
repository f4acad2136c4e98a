"""People in a process of their own, each with a real `ChatClient`, who talk, read, come and go, and write it all down.

`python -m tests.faults.people PLAN` reads who they are from a file, and orders from standard input: `quiet` lets them
finish what they are at, `settle` waits until each has been given everything, and ends. What it says itself are the
same words, when that is so, and `ready` at first. Started again on its plan after a `kill -9`, it goes on where the
records end. Must not know which faults there are: whatever happens to them, they just go on.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import msgspec

from tests.faults import history as h
from tests.faults.people_acting import Actor
from tests.faults.people_plan import Plan
from tests.faults.people_private import attend, write
from tests.faults.people_visits import host, visit


async def _orders() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def _explain() -> None:
    """What everybody waits for, on standard error."""
    for task in asyncio.all_tasks():
        task.print_stack(limit=6, file=sys.stderr)
    sys.stderr.flush()


async def _together(*steps: Coroutine[Any, Any, None]) -> None:
    async with asyncio.TaskGroup() as group:
        for step in steps:
            group.create_task(step)


def _actors(plan: Plan) -> list[Actor]:
    """Everybody at the place where they were when the process before this one ended."""
    file = plan.directory / f"{plan.name}.positions"
    counted, found = json.loads(file.read_text()) if file.exists() else (0, [])
    positions = {(who, log): seq for who, log, seq in found}
    for earlier in range(counted, plan.incarnation):
        # One that was killed before it could begin has left none.
        if _history(plan, earlier).exists():
            h.positions(_history(plan, earlier), positions)
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps([plan.incarnation, [[*key, seq] for key, seq in positions.items()]]))
    draft.replace(file)
    recorder = h.Recorder(_history(plan, plan.incarnation))
    return [Actor(person, plan, recorder, positions) for person in plan.people]


def _history(plan: Plan, incarnation: int) -> Path:
    return plan.directory / f"{plan.name}.{incarnation:04}{h.SUFFIX}"


async def live(plan: Plan) -> None:
    """Everybody's life, until `settle` is done."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, _explain)
    actors = _actors(plan)
    orders = await _orders()
    await _together(*(actor.come() for actor in actors))
    inside = {(actor.person.login, log): asyncio.Event() for actor in actors for log in actor.person.hears}
    async with asyncio.TaskGroup() as group:
        readers = [
            group.create_task(actor.hear(log, inside[actor.person.login, log].set))
            for actor in actors
            for log in actor.person.hears
        ]
        readers += [group.create_task(attend(actor)) for actor in actors]
        talkers = [group.create_task(actor.talk(log)) for actor in actors for log in actor.person.talks]
        talkers += [group.create_task(write(actor)) for actor in actors if actor.person.writes]
        talkers += [group.create_task(host(actor)) for actor in actors if actor.person.hosts]
        talkers += [group.create_task(visit(actor)) for actor in actors if actor.person.visits]
        await asyncio.gather(*(event.wait() for event in inside.values()))
        print("ready", flush=True)
        assert (await orders.readline()).strip() == b"quiet"
        for actor in actors:
            actor.quiet = True
        await asyncio.gather(*talkers)
        await asyncio.gather(*(actor.finish() for actor in actors))
        print("quiet", flush=True)
        assert (await orders.readline()).strip() == b"settle"
        await asyncio.gather(*(actor.settle() for actor in actors))
        for reader in readers:
            reader.cancel()
    for actor in actors:
        if actor.reading is not None:
            actor.reading.cancel()
    await asyncio.gather(*(actor.chat.close(bye=False) for actor in actors))
    print("settle", flush=True)


if __name__ == "__main__":
    asyncio.run(live(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Plan)))
