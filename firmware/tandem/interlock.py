"""Interlock expressions: point names joined by `not`, `and`, `or` and parentheses, `not` binding tightest.

An operand that is not good makes the whole expression unknown, whatever the others say: an interlock that cannot
be judged refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

MOST_TOKENS = 256
_TOKEN = re.compile(r"\s*(?:([A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*)|([()]))", re.ASCII)
_PREFIX = re.compile(r"\s*(on|off)\s*:", re.ASCII)
_BINDING = {"not": 3, "and": 2, "or": 1}
WORDS = frozenset(_BINDING)

Prefix = Literal["", "on", "off"]


@dataclass(slots=True, frozen=True)
class Expression:
    """A parsed expression. `names` are its operands, each once, in the order of the text."""

    names: tuple[str, ...]
    _tokens: tuple[str, ...]
    _postfix: tuple[str, ...]

    def evaluate(self, lookup: Callable[[str], bool | None]) -> bool | None:
        """The value with operands from `lookup`; None when any operand is None (not good): refuse."""
        values = {name: lookup(name) for name in self.names}
        stack: list[bool] = []
        for token in self._postfix:
            if token == "not":
                stack[-1] = not stack[-1]
            elif token in WORDS:
                right = stack.pop()
                stack[-1] = (stack[-1] and right) if token == "and" else (stack[-1] or right)
            else:
                value = values[token]
                if value is None:
                    return None
                stack.append(value)
        return stack[0]

    def renamed(self, name: Callable[[str], str]) -> str:
        """The expression as text again, each operand replaced by `name(operand)`."""
        words = [t if t in WORDS or t in "()" else name(t) for t in self._tokens]
        return " ".join(words).replace("( ", "(").replace(" )", ")")


def split(text: str) -> tuple[Prefix, str]:
    """("on" | "off" | "", expression): which of the two commands an interlock guards; "" is both."""
    match = _PREFIX.match(text)
    if match is None:
        return "", text
    return ("on" if match.group(1) == "on" else "off"), text[match.end() :]


def parse(text: str) -> Expression:
    """The expression that `text` (without prefix) holds. Raises ValueError with the place in the text and the cure."""
    tokens = _tokens(text)
    output: list[str] = []
    waiting: list[tuple[str, int]] = []
    names: dict[str, None] = {}
    operand_next = True
    for token, place in tokens:
        if operand_next != (token in ("(", "not") or (token not in WORDS and token != ")")):
            raise ValueError(_misplaced(token, place, operand_next))
        if token in ("(", "not"):
            waiting.append((token, place))
        elif token == ")":
            _close(waiting, output, place)
        elif token in WORDS:
            while waiting and _BINDING.get(waiting[-1][0], 0) >= _BINDING[token]:
                output.append(waiting.pop()[0])
            waiting.append((token, place))
            operand_next = True
        else:
            output.append(token)
            names[token] = None
            operand_next = False
    if operand_next:
        raise ValueError(f'a point name is missing at the end of "{text.strip()}"; write one after the last word')
    while waiting:
        token, place = waiting.pop()
        if token == "(":
            raise ValueError(f'the "(" at position {place} is never closed; add a ")"')
        output.append(token)
    return Expression(tuple(names), tuple(t for t, _ in tokens), tuple(output))


def _close(waiting: list[tuple[str, int]], output: list[str], place: int) -> None:
    while waiting and waiting[-1][0] != "(":
        output.append(waiting.pop()[0])
    if not waiting:
        raise ValueError(f'the ")" at position {place} closes nothing; take it out or add a "(" before it')
    waiting.pop()


def _misplaced(token: str, place: int, operand_next: bool) -> str:
    if operand_next:
        return f'a point name is missing before "{token}" at position {place}'
    return f'"and" or "or" is missing before "{token}" at position {place}'


def _tokens(text: str) -> list[tuple[str, int]]:
    """Tokens with their positions, from 1."""
    tokens: list[tuple[str, int]] = []
    end = len(text.rstrip())
    at = 0
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise ValueError(
                f'"{text[at]}" at position {at + 1} belongs to no expression; use point names, not, and, or, ( )'
            )
        tokens.append((match.group(1) or match.group(2), match.start(match.lastindex or 1) + 1))
        if len(tokens) > MOST_TOKENS:
            raise ValueError(f"the expression is longer than {MOST_TOKENS} words; split it over several points")
        at = match.end()
    return tokens
