"""What a bot says by itself, in the language that its process speaks. Must not know when it is said."""

from __future__ import annotations

from client.bot.spans import spoken
from client.language import N_, _, sentence
from common.errors import ChatError

ROLES = {"member": N_("members"), "moderator": N_("moderators"), "creator": N_("whoever made the room")}


def only_for(command: str, role: str, private: bool) -> str:
    """Somebody may not use a command."""
    said = _("{command} is only for {whom}.").format(command=command, whom=_(ROLES[role]))
    return said + " " + _("Say it in the room.") if private else said


def wait(command: str, ms: int) -> str:
    """Somebody is too quick."""
    return _("Wait {time} before the next {command}.").format(time=spoken(ms), command=command)


def usage(fault: str, line: str) -> str:
    """What was typed does not fit."""
    return fault + " " + _("Usage: {line}").format(line=line)


def no_answer() -> str:
    """Nobody answered a question in time."""
    return _("No answer came, so I leave it.")


def failed(error: BaseException, number: str) -> str:
    """A handler failed; the log says more under that number."""
    if isinstance(error, ChatError):
        return _("That did not work: {sentence} (error {number})").format(sentence=sentence(error), number=number)
    return _("Something went wrong (error {number}).").format(number=number)


def unknown(word: str, suggestion: str | None, prefix: str, help: bool) -> str:
    """There is no such command."""
    if suggestion is not None:
        said = _("There is no command {word}; did you mean {suggestion}?")
        return said.format(word=prefix + word, suggestion=prefix + suggestion)
    if help:
        return _("I do not know '{word}'; {prefix}help says what I do.").format(word=word, prefix=prefix)
    return _("I do not know '{word}'.").format(word=word)


def overview(lines: list[str], prefix: str) -> str:
    """The commands, a line for each."""
    if not lines:
        return _("I have no commands here.")
    return "\n".join([*lines, _("{prefix}help COMMAND says more.").format(prefix=prefix)])


def example(line: str) -> str:
    """A line that works."""
    return _("For instance: {line}").format(line=line)


def also(names: str) -> str:
    """A command's other names."""
    return _("Also: {names}").format(names=names)


def role(role: str) -> str:
    """Whom a command is for."""
    return _("Only for {whom}").format(whom=_(ROLES[role]))


def limit(cooldown: str) -> str:
    """How often a command may be used."""
    return _("At most {cooldown}").format(cooldown=cooldown)
