"""The timers of a bot at work: each is run when it is due, where it is meant for. Must not know what they do."""

from __future__ import annotations

from client.bot.desk import Desk
from client.bot.dispatch import Dispatch
from client.bot.listeners import Timer
from client.bot.runs import Run


async def tick(timer: Timer, desk: Desk, dispatch: Dispatch) -> None:
    """Run a timer whenever it is due from now on; where it is still at work, that time is passed over."""
    start = desk.clock.now()
    working: dict[str, Run] = {}
    due = timer.schedule.after(start, start)
    while due >= 0:
        await desk.clock.sleep_until(due)
        for name in timer.names or ("",):
            room = desk.find_room(name) if name else None
            before = working.get(name)
            if (before is None or before.task.done()) and (room is not None or not name):
                working[name] = dispatch.timer(timer, room)
        due = timer.schedule.after(max(due, desk.clock.now()), start)
