"""`tertulia`: reads the command line, runs one command, and turns what went wrong into an exit status.

Must not import anything slow: each command's module is imported when it runs, so that the terminal paints
soon and `tertulia --help` needs no socket library.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from client.config import BadConfig
from client.link.failures import NOT_REACHED
from common.addresses import BadAddress
from common.errors import ChatError
from common.texts import NO_TEXT, visible

DONE: Final = 0
REFUSED: Final = 1
WRONG_USAGE: Final = 2
NO_BROKER: Final = 3
INTERRUPTED: Final = 130

GENDERS: Final = ("female", "male", "other", "undisclosed")
SHELLS: Final = ("bash", "zsh", "fish")

_EPILOG: Final = """\
environment:
  TERTULIA_ADDRESS, TERTULIA_LOGIN   as the flags, which win over them; they win over client.toml
  TERTULIA_PASSWORD                  else the password is asked for, or is the first line of the input

exit status:
  0 done · 1 refused by the broker, whose sentence is on stderr · 2 wrong usage · 3 no broker reached
"""


class WrongUsage(Exception):
    """The command line asks for what cannot be done; the sentence says what is missing."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in `argv` (default: this process's); returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may not know every letter
    arguments = parser().parse_args(argv)
    module = importlib.import_module(f"client.commands.{arguments.module}")
    run: Callable[[argparse.Namespace], int] = module.run
    try:
        for given in vars(arguments).values():
            if isinstance(given, str):
                given.encode()
        status = run(arguments)
        sys.stdout.flush()
        return status
    except (WrongUsage, BadConfig, BadAddress) as error:
        return _fail(WRONG_USAGE, str(error))
    except ChatError as error:
        return _fail(NO_BROKER if error.code in NOT_REACHED else REFUSED, error.message)
    except UnicodeError:
        return _fail(WRONG_USAGE, NO_TEXT)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us (`| head`) has had enough; nor may the interpreter try to flush when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def _fail(status: int, sentence: str) -> int:
    print(f"tertulia: {visible(sentence)}", file=sys.stderr)
    return status


def parser() -> argparse.ArgumentParser:
    """The whole command line; `client.commands.completion` reads it too."""
    shared = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    shared.add_argument("--address", metavar="A", help="tertulia://HOST:PORT/KEY, HOST:PORT or HOST")
    shared.add_argument("--login", metavar="L", help="who you are there")
    shared.add_argument("--config", metavar="FILE", type=Path, help="settings, instead of your client.toml")
    lines = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    lines.add_argument("--plain", action="store_true", help="line in, line out, even on a terminal")
    top = argparse.ArgumentParser(
        prog="tertulia",
        description="Chat from the terminal; without a command, opens the chat. "
        "Without an address, uses your own broker on this machine and starts one if none runs.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[shared, lines],
        allow_abbrev=False,
    )
    top.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    top.set_defaults(module="chat")
    commands = top.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, help: str, module: str, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name, help=help, description=f"{help[0].upper()}{help[1:]}.", parents=list(parents), allow_abbrev=False
        )
        added.set_defaults(module=module)
        return added

    command("chat", "open the chat (the default)", "chat", shared, lines)
    _register(command("register", "make an account", "register", shared))
    _send(command("send", "say something in a room", "send", shared))
    _tail(command("tail", "print what is said in a room", "tail", shared))
    for name, help in (("rooms", "list the rooms"), ("users", "list the users of the whole system")):
        _json(command(name, help, name, shared))
    completion = command("completion", "print the completions for a shell", "completion")
    completion.add_argument("shell", choices=SHELLS)
    return top


def _register(command: argparse.ArgumentParser) -> None:
    command.add_argument("--first-names", required=True, metavar="F")
    command.add_argument("--surnames", required=True, metavar="S")
    command.add_argument("--age", required=True, type=int, metavar="N", help="seen by you and the operator only")
    command.add_argument("--gender", required=True, choices=GENDERS, help="seen by you and the operator only")


def _send(command: argparse.ArgumentParser) -> None:
    command.add_argument("--room", required=True, metavar="R")
    command.add_argument("text", nargs="*", metavar="TEXT", help="what to say; without it, the input is read")


def _tail(command: argparse.ArgumentParser) -> None:
    command.add_argument("--room", required=True, metavar="R")
    command.add_argument("--since", type=_natural, metavar="SEQ", help="begin after this sequence number")
    command.add_argument(
        "--count", type=_natural, metavar="N", help="at most N messages (default: 20, or all since SEQ)"
    )
    command.add_argument("--follow", action="store_true", help="go on with what is said from now on")
    _json(command)


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="one JSON object a line, in ASCII")


def _natural(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 upwards")
    return int(text)


class _Version(argparse.Action):
    """Print the version, looked up only now because the lookup is slow."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"tertulia {version('tertulia')}")
        except PackageNotFoundError:
            print("tertulia, not installed")
        parser.exit()
