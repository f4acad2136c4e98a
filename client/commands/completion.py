"""`tertulia completion bash|zsh|fish`: completions written from the command line's own parser.

Must not know any command by name, so that none can be forgotten.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple

from client.command_line import parser


class Command(NamedTuple):
    """What a shell may offer after a command: its options, and the words some of them take."""

    help: str
    options: dict[str, str]
    """Each long option with its help."""
    words: list[str]
    """The choices of the positional argument, if it has any."""
    choices: dict[str, list[str]]
    """The choices of an option, for those that have any."""


def run(arguments: argparse.Namespace) -> int:
    """Print the script for `arguments.shell`."""
    print(WRITERS[arguments.shell](), end="")
    return 0


def commands() -> dict[str, Command]:
    """Every command by name, and under the empty name what stands without one."""
    top = parser()
    found = {"": _read(top, "")}
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, inner in action.choices.items():
                found[name] = _read(inner, helps[name])
    return found


def _read(command: argparse.ArgumentParser, help: str) -> Command:
    options: dict[str, str] = {}
    words: list[str] = []
    choices: dict[str, list[str]] = {}
    for action in command._actions:
        names = [name for name in action.option_strings if name.startswith("--")]
        for name in names:
            options[name] = action.help or ""
            if action.choices is not None:
                choices[name] = [str(choice) for choice in action.choices]
        if not names and action.choices is not None and not isinstance(action, argparse._SubParsersAction):
            words = [str(choice) for choice in action.choices]
    return Command(help, options, words, choices)


def bash() -> str:
    """The completions for bash."""
    table = commands()
    lines = []
    for name, command in table.items():
        for option, words in command.choices.items():
            lines.append(f'        "{name}:{option}") words="{" ".join(words)}" ;;')
        # What may follow without a command is also each command's name.
        first = [other for other in table if other] if not name else command.words
        lines.append(f'        "{name}:"*) words="{" ".join([*first, *command.options])}" ;;')
    names = "|".join(name for name in table if name)
    cases = "\n".join(lines)
    return f"""\
# bash completion for tertulia:  source <(tertulia completion bash)
_tertulia() {{
    local word command="" words=""
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$word" in
            {names}) command="$word"; break ;;
        esac
    done
    case "$command:${{COMP_WORDS[COMP_CWORD-1]}}" in
{cases}
    esac
    COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _tertulia tertulia
"""


def zsh() -> str:
    """The completions for zsh: bash's, through zsh's own bridge."""
    head = "# zsh completion for tertulia:  source <(tertulia completion zsh)\n"
    return head + "autoload -U bashcompinit\nbashcompinit\n" + bash().split("\n", 1)[1]


def fish() -> str:
    """The completions for fish."""
    table = commands()
    lines = ["# fish completion for tertulia:  tertulia completion fish | source"]
    for name, command in table.items():
        when = f"__fish_seen_subcommand_from {name}" if name else "__fish_use_subcommand"
        if name:
            lines.append(f"complete -c tertulia -n __fish_use_subcommand -f -a {name} -d {_quoted(command.help)}")
        for word in command.words:
            lines.append(f"complete -c tertulia -n '{when}' -f -a {word}")
        for option, help in command.options.items():
            values = f" -x -a {_quoted(' '.join(command.choices[option]))}" if option in command.choices else ""
            lines.append(f"complete -c tertulia -n '{when}' -l {option[2:]}{values} -d {_quoted(help)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


WRITERS: dict[str, Callable[[], str]] = {"bash": bash, "zsh": zsh, "fish": fish}
"""The writer for each shell."""
