"""Push as the gateway starts it: who subscribed, and for each a delivery; what the relay hears is offered to all.

Without the libraries push is off, and says why; the rest of the gateway does not mind. Must not know HTTP's pages, nor
how a notice is made or travels.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from client import log
from client.web.push.deciding import notice
from client.web.push.delivering import LOGGER, Delivery
from client.web.push.ports import Known, Switchboard
from client.web.push.sending import Sender, public_connector
from client.web.push.subscriptions import BadSubscription, Subscription, Subscriptions, parse
from client.web.push.vapid import CONTACT, Vapid, missing
from common import messages as m
from common import names

KEY = "push.key"
FILE = "push.json"


class Push:
    """From `start` to `close`, in one event loop."""

    def __init__(
        self,
        relay: Switchboard,
        directory: Path,
        contact: str = CONTACT,
        *,
        connector: Callable[[], aiohttp.BaseConnector] = public_connector,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Read key and subscriptions in `directory`, where they are made if they are not there.

        `contact`: a `mailto:` or `https:` URL of the operator, for push services. Raises `BadSecretFile`, `BadContact`.
        """
        self.lacks = missing()
        """What must be installed for push to be had; empty if it can be had."""
        self._relay = relay
        self._pause = pause
        self._vapid = Vapid.load(directory / KEY, contact)
        self._all = Subscriptions(directory / FILE)
        self._sender = Sender(self._vapid, connector)
        self._deliveries: dict[str, tuple[Delivery, asyncio.Task[None]]] = {}

    def start(self) -> None:
        """Offer push to browsers, and go on telling those that subscribed before."""
        if self.lacks:
            log.event(LOGGER, "push-off", logging.WARNING, not_installed=self.lacks)
            return
        own = {"push-key": self._key, "push-add": self._add, "push-remove": self._remove}
        self._relay.own_ops.update(own)
        self._relay.overheard.append(self._overhear)
        for each in self._all:
            self._begin(each)

    async def close(self) -> None:
        """Tell nobody any more; what waits is lost, for it is seen when the page is opened."""
        tasks = [task for _delivery, task in self._deliveries.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._sender.close()

    async def forget(self, label: str) -> None:
        """A session was logged out: its browser is told nothing more."""
        for each in self._all:
            if each.label == label:
                await self._drop(each, "logged-out")

    # What browsers ask

    async def _key(self, _session: Known, _fields: dict[str, Any]) -> dict[str, Any]:
        return {"key": await asyncio.to_thread(lambda: self._vapid.public)}

    async def _add(self, session: Known, fields: dict[str, Any]) -> dict[str, Any]:
        given = fields.get("subscription")
        new = await asyncio.to_thread(parse, given, session.label, session.login)
        old = self._all.find(new.endpoint)
        if old == new.failing(old.failures if old else 0):
            return {}
        if old is not None and names.key(old.login) != names.key(new.login) and old.auth != new.auth:
            raise BadSubscription  # who only knows somebody's endpoint does not get it
        for gone in self._all.add(new):
            self._end(gone)
        self._begin(new)
        log.event(LOGGER, "push-added", host=new.host, login=new.login)
        await self._save()
        return {}

    async def _remove(self, session: Known, fields: dict[str, Any]) -> dict[str, Any]:
        old = self._all.find(str(fields.get("endpoint")))
        if old is not None and names.key(old.login) == names.key(session.login):
            await self._drop(old, "asked")
        return {}

    # What happens

    def _overhear(self, log_name: str, event: m.AnyEvent) -> None:
        """Offer an event to everybody who subscribed."""
        if isinstance(event, m.Edited | m.Retracted):
            for delivery, _task in self._deliveries.values():
                delivery.amend(log_name, event)
        if not isinstance(event, m.Message | m.DirectMessage):
            return
        for delivery, _task in self._deliveries.values():
            session = self._relay.session(delivery.to.label)
            if session is None:
                delivery.check()
            elif session.entitled(log_name, event.seq):
                told = notice(session.state, log_name, event)
                if told is not None and not self._relay.active(session.login):
                    delivery.put(told)

    # Deliveries

    def _begin(self, to: Subscription) -> None:
        delivery = Delivery(to, self._relay, self._sender, self._changed, self._pause)
        task = asyncio.create_task(self._deliver(delivery))
        task.add_done_callback(_over)
        self._deliveries[to.endpoint] = delivery, task

    async def _deliver(self, delivery: Delivery) -> None:
        why = await delivery.run()
        await self._drop(delivery.to, why)

    async def _drop(self, old: Subscription, why: str) -> None:
        self._all.drop(old)
        self._end(old)
        log.event(LOGGER, "push-dropped", host=old.host, login=old.login, cause=why)
        await self._save()

    def _end(self, old: Subscription) -> None:
        _delivery, task = self._deliveries.pop(old.endpoint, (None, None))
        if task is not None and task is not asyncio.current_task():
            task.cancel()
        if not any(each.label == old.label for each in self._all):
            self._relay.release(old.label)

    async def _changed(self, new: Subscription) -> None:
        self._all.change(new)
        await self._save()

    async def _save(self) -> None:
        try:
            await self._all.save()
        except OSError:
            log.event(LOGGER, "push-not-saved", logging.ERROR)


def _over(task: asyncio.Task[None]) -> None:
    """A delivery ends by itself; one that fails is a fault of ours, and is silent until the next start."""
    if not task.cancelled() and (fault := task.exception()) is not None:
        LOGGER.error("push-ended", exc_info=fault)
