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

from client import config, language
from client.command_line import parser
from client.config import BadConfig
from client.language import LANGUAGES, _, ngettext, sentence
from client.link.failures import NOT_REACHED
from common.addresses import BadAddress
from common.errors import ChatError
from common.texts import NO_TEXT, visible

DONE: Final = 0
REFUSED: Final = 1
WRONG_USAGE: Final = 2
NO_BROKER: Final = 3
INTERRUPTED: Final = 130


class WrongUsage(Exception):
    """The command line asks for what cannot be done; the sentence says what is missing."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in `argv` (default: this process's); returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may not know every letter
    if language.use(_language(argv)) != LANGUAGES[0]:
        # It knows gettext, but asks only the environment which language that is to be.
        vars(argparse).update(_=_, ngettext=ngettext)
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
        return _fail(WRONG_USAGE, sentence(error) if isinstance(error, ChatError) else str(error))
    except ChatError as error:
        return _fail(NO_BROKER if error.code in NOT_REACHED else REFUSED, sentence(error))
    except UnicodeError:
        return _fail(WRONG_USAGE, _(NO_TEXT))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us (`| head`) has had enough; nor may the interpreter try to flush when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def _fail(status: int, said: str) -> int:
    print(f"tertulia: {visible(said)}", file=sys.stderr)
    return status


def _language(argv: Sequence[str] | None) -> str:
    """Which language is asked for, looked up before all else, for the help is in it; empty for the locale's."""
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    early.add_argument("--lang", choices=LANGUAGES, default="")
    early.add_argument("--config", type=Path)
    try:
        given = vars(early.parse_known_args(argv)[0])
    except argparse.ArgumentError:
        given = {}  # told once the whole line is read
    asked = str(given.get("lang") or os.environ.get("TERTULIA_LANG", ""))
    try:
        return asked or config.load({}, {}, given.get("config")).lang
    except BadConfig:
        return asked
