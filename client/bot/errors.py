"""What can go wrong between a bot's handlers and those who talk to it.

    BadHandler     the bot's code asks for what cannot be done; raised where it is decorated
    BadArguments   what somebody typed does not fit the command; they are told, with the usage
    Unanswered     nobody answered `ctx.ask` in time, or nobody can any more

Must not know how any of it is said.
"""

from __future__ import annotations


class BadHandler(TypeError):
    """A handler cannot be called as its decorator says; the sentence says what to change."""


class BadArguments(ValueError):
    """What follows a command does not fit it; the sentence is for whoever typed it.

    A command may raise it itself: its sentence is answered, and the usage.
    """


class Unanswered(TimeoutError):
    """A question of `ctx.ask` got no answer."""

    def __init__(self, message: str = "", *, quiet: bool = False) -> None:
        super().__init__(message)
        self.quiet = quiet
        """Whether there is nobody to be told: the room is gone, or the person was asked something else."""
