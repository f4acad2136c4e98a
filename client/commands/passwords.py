"""Where a password comes from: the environment, a prompt that shows nothing, or the first line of the input.

Never from the command line, which everybody on the machine can read. Must not know what it is for.
"""

from __future__ import annotations

import os
import sys

from client.cli import WrongUsage
from client.language import _


def password(prompt: str, *, twice: bool = False, input_is_text: bool = False) -> str:
    """A password: from TERTULIA_PASSWORD, or asked for with `prompt`, or read from an input that is no terminal.

    With `twice` a person types it again, to be sure. With `input_is_text` the input holds something else, so that
    only a person at the terminal can be asked. Raises `WrongUsage` if there is none.
    """
    given = os.environ.get("TERTULIA_PASSWORD")
    if given:
        return given
    if sys.stdin.isatty() or (input_is_text and _has_terminal()):
        return _asked(prompt, twice)
    if input_is_text:
        raise WrongUsage(_("the input is the text, so the password must be in TERTULIA_PASSWORD"))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise WrongUsage(_("no password: set TERTULIA_PASSWORD, or give it as the first line of the input"))
    return line


def _asked(prompt: str, twice: bool) -> str:
    from getpass import getpass

    typed = getpass(f"{prompt}: ")
    if twice and getpass(_("{prompt}, again: ").format(prompt=prompt)) != typed:
        raise WrongUsage(_("the two passwords differ"))
    return typed


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return False
    return True
