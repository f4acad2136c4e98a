"""Questions that wait for somebody's next message in one conversation.

One question a person and conversation is open: a newer one takes the place of an older, which ends unanswered. Must not
know who asked, nor how.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from client.bot.clock import Clock
from client.bot.errors import Unanswered
from client.bot.things import Message
from client.bot.turns import Turn

Whom = tuple[str, str]
"""The log, and the key of the person's name."""


@dataclass
class Question:
    """One that is open."""

    seq: int
    """What was said in that log before is no answer."""
    turn: Turn
    """Of the handler that asks."""
    answer: asyncio.Future[Message]


class Questions:
    """All that are open."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[Whom, Question] = {}

    async def wait(self, whom: Whom, seq: int, timeout: float, turn: Turn) -> Message:
        """Wait for the next message of `whom` above `seq`; `turn` rests meanwhile.

        Raises `Unanswered` after `timeout` seconds.
        """
        self._end(whom)
        question = Question(seq, turn, asyncio.get_running_loop().create_future())
        turn.rest(id(question))
        self._open[whom] = question
        limit = asyncio.create_task(self._expire(question, self._clock.now() + round(timeout * 1000)))
        try:
            return await question.answer
        finally:
            turn.take(id(question))
            limit.cancel()
            if self._open.get(whom) is question:
                del self._open[whom]

    async def _expire(self, question: Question, ms: int) -> None:
        await self._clock.sleep_until(ms)
        if not question.answer.done():
            question.answer.set_exception(Unanswered())

    def take(self, whom: Whom, message: Message) -> Turn | None:
        """Give a message to whoever waits for it; returns their turn, which they take; None if nobody does."""
        question = self._open.get(whom)
        if question is None or message.seq <= question.seq or question.answer.done():
            return None
        del self._open[whom]
        question.turn.take(id(question))
        question.answer.set_result(message)
        return question.turn

    def close(self, log: str) -> None:
        """Nobody can answer there any more."""
        for whom in [whom for whom in self._open if whom[0] == log]:
            self._end(whom)

    def _end(self, whom: Whom) -> None:
        question = self._open.pop(whom, None)
        if question is not None and not question.answer.done():
            question.answer.set_exception(Unanswered(quiet=True))
