"""What can be a handler: a function, whatever wraps it, and whether it is awaited or runs in a thread.

Must not know its parameters, nor what it is called for.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from client.bot.errors import BadHandler

Function = Callable[..., Any]


def check(function: Any, decorator: str) -> None:
    """See that it can be called as a handler. Raises `BadHandler` that says what to write instead."""
    if not callable(function):
        raise BadHandler(f"@bot.{decorator} stands before a function, not before {function!r}.")
    within = inner(function)
    if inspect.isgeneratorfunction(within) or inspect.isasyncgenfunction(within):
        raise BadHandler(f"{qualified(function)} has a 'yield': nobody takes what it yields; use await ctx.send(…).")
    if inspect.isclass(within):
        raise BadHandler(f"{qualified(function)} is a class; expected a function.")
    first = next(iter(parameters(function)), None)
    if first is not None and first.name == "self":
        raise BadHandler(f"{qualified(function)} is a method without its object: bot.{decorator}(…)(object.method).")


def parameters(function: Function) -> list[inspect.Parameter]:
    """What it takes and `functools.partial` has not given it yet. Raises `BadHandler` if nothing tells."""
    given = function.keywords if isinstance(function, functools.partial) else {}
    try:
        found = inspect.signature(function).parameters.values()
    except ValueError:
        raise BadHandler(f"{named(function)}: nothing tells what it takes; write a function that calls it.") from None
    return [each for each in found if each.name not in given]


def inner(function: Any) -> Any:
    """What is called in the end: beneath `functools.wraps`, `functools.partial`, and objects that can be called."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif not (inspect.isroutine(function) or inspect.isclass(function)):
            function = type(function).__call__
        else:
            return function


def awaited(function: Function) -> bool:
    """Whether it is `async`, however it is wrapped: it is called in the loop then, and else in a thread."""
    return inspect.iscoroutinefunction(inner(function))


def named(function: Function) -> str:
    """Its name; that of a class for an object that can be called."""
    return str(getattr(_outer(function), "__name__", type(function).__name__))


def qualified(function: Function) -> str:
    """Its name with what it stands in."""
    return str(getattr(_outer(function), "__qualname__", type(function).__qualname__))


def _outer(function: Any) -> Any:
    while isinstance(function, functools.partial):
        function = function.func
    return function
