"""Requests of people, passed on under their label, and what their answers say of what they may hear.

Must not know who is answered, nor in which form.
"""

from __future__ import annotations

from collections.abc import Callable

from client.language import N_
from client.link.calls import Outcome
from client.link.failures import NoAnswer
from client.web.relay.asking import Asked
from client.web.relay.bounds import ANSWER_S
from client.web.relay.hub import Hub
from client.web.relay.sessions import Session
from common import messages as m
from common.errors import ChatError, NotLoggedIn

Answered = Callable[[Outcome, float], None]


def pass_on(hub: Hub, session: Session, command: m.Command, now: float, answered: Answered) -> None:
    """Ask the broker for a session; `answered` gets the outcome once, soon even if there is no broker."""
    if not hub.answering:
        answered(NoAnswer(N_("The broker cannot be reached at the moment; try again in a little while.")), now)
        return
    leaving = _leaving(session, command)
    parted = hub.places.part(session, leaving) if leaving is not None else None

    def done(outcome: Outcome, asked: Asked, now: float) -> None:
        if not session.over:
            _take(hub, session, command, outcome, asked.sent, now)
        if parted is not None:
            parted(now)
        answered(outcome, now)
        if isinstance(outcome, m.RoomReply):
            # What was said between the broker's answer and this one was heard here already.
            hub.places.tell_end(session, outcome.room.name)

    try:
        hub.asking.ask(session.label, command, session.address, now, ANSWER_S, done)
    except ChatError as error:
        if parted is not None:
            parted(now)
        answered(error, now)


def _leaving(session: Session, command: m.Command) -> str | None:
    """The room in which a membership may end by this."""
    if isinstance(command, m.Leave):
        return session.find(command.room)
    if isinstance(command, m.Enter) and session.find(command.room) != session.state.current:
        return session.state.current if session.state.current in session.hearing else None
    return None


def _take(hub: Hub, session: Session, command: m.Command, outcome: Outcome, asked: float, now: float) -> None:
    if isinstance(outcome, m.RoomReply):
        session.state.current = outcome.current
        hub.joined(session, outcome.room, asked, now)
    elif isinstance(outcome, m.Left) and isinstance(command, (m.Leave, m.Delete)):
        session.state.current = outcome.current
        name = session.find(command.room)
        if name is not None:
            # Membership is the account's: none of its sessions is there any more.
            id = session.hearing[name].id
            for each in list(hub.account(session.inbox)):
                hub.left(each, id, now)
    elif isinstance(outcome, m.Pong):
        missing, more = session.compare(outcome.heads.keys(), asked)
        if missing:
            hub.doubt(session, now)
        elif more:
            hub.refresh(session, now)
    elif isinstance(outcome, NotLoggedIn):
        hub.doubt(session, now)
    elif isinstance(outcome, m.Reply) and isinstance(command, m.SetStatus):
        session.state.status, session.state.note = command.status, command.note
