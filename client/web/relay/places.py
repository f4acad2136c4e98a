"""Which session is a member of which channel, and which topics are held for that.

A topic is held as long as one session may hear it, and given back before a request that may end the last membership:
who still holds it when the broker takes a grant back is cut off. Must not know why a session may hear what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from client.link.subscriptions import Subscriptions
from client.web.relay import frames
from client.web.relay.channels import Channel
from client.web.relay.rings import Rings
from client.web.relay.sessions import Session


class Places:
    """The channels by log, and their members."""

    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions
        self._rings = Rings()
        self._of: dict[Session, set[str]] = {}
        self.channels: dict[str, Channel] = {}

    def of(self, session: Session) -> Iterable[str]:
        """The logs of which a session is a member."""
        return self._of.get(session, ())

    def changed(self, session: Session) -> None:
        """The browsers of a session, or whether it hears, are others now, or are about to be."""
        for log in self._of.get(session, ()):
            self.channels[log].changed()

    def suspend(self, session: Session) -> None:
        """It is given nothing more until the broker was asked; what was gathered before goes out."""
        if not session.doubtful:
            self.changed(session)
            session.doubtful = True

    def vacate(self, session: Session, now: float) -> None:
        """The same, and the topics of its rooms are given back; of one that is leaving, that of its inbox, too."""
        self.suspend(session)
        session.hearing.clear()
        self.put(session, now)

    def put(self, session: Session, now: float) -> None:
        """Make it a member of the channels that it may hear, and of no others."""
        wanted = session.logs
        self._take(session, self._of.get(session, set()) - wanted)
        for log in wanted:
            channel = self.channels.get(log)
            if channel is None:
                channel = self.channels[log] = Channel(log, self._rings)
            channel.changed()
            channel.members[session] = None
            hearing = session.hearing.get(log)
            if hearing is not None and channel.id is not None and channel.id != hearing.id:
                # The name is another room's, or was: the next marker says which it is.
                channel.unsettle()
                self._subscriptions.renew(log, now)
            if not channel.parting:
                self._subscriptions.want(log, now)
        self._of[session] = wanted

    def remove(self, session: Session) -> None:
        """It hears nothing any more."""
        self._take(session, self._of.pop(session, set()))

    def _take(self, session: Session, logs: set[str]) -> None:
        for log in logs:
            channel = self.channels[log]
            channel.changed()
            channel.members.pop(session, None)
            if not channel.members:
                channel.close()
                del self.channels[log]
                self._subscriptions.drop(log)

    def tell_end(self, session: Session, log: str) -> None:
        """Tell its browsers where a log ends that they have not heard until now, or not for a time."""
        view, channel = session.view(log), self.channels.get(log)
        if channel is None or session.doubtful:
            return
        id, head = (view.id, view.head) if view is not None else (0, session.state.inbox)
        if channel.ring is not None and channel.id == id:
            head = max(head, channel.ring.last)
        session.push(frames.live(channel.prefix, id, head))

    def part(self, session: Session, name: str) -> Callable[[float], None]:
        """Before a request that may end a membership of a session's account: give the topic back if nobody else here is
        a member. Returns what is to be called when the request is answered."""
        channel = self.channels.get(name)
        if channel is None or any(other.login != session.login for other in channel.members):
            return lambda now: None
        channel.parting = True
        channel.unsettle()
        self._subscriptions.drop(name)

        def answered(now: float) -> None:
            channel.parting = False
            if self.channels.get(name) is channel:
                self._subscriptions.want(name, now)

        return answered
