"""The suggestions that were shown, so that what is typed through them needs no model.

Two promises stand on this. The same document state gives the same suggestion, so nothing flickers. And while the
user types what a suggestion says, its rest stays where it is, at no cost.

Pure but for its own memory; for the event loop alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from notation.source import Span, replaced

if TYPE_CHECKING:
    from inference.completion import Suggestion

_REMEMBERED = 8
"""How many document states are remembered for each document: enough to delete and retype a few characters."""
_CHARACTERS = 4_000_000
"""How many characters these may have together; the newest is remembered, however long it is."""


@dataclass(frozen=True)
class Asked:
    """What suggestions were asked for.

    Attributes:
        text: the whole document.
        offset: of the cursor.
        measures: how many measures.
        temperature: of sampling.
    """

    text: str
    offset: int
    measures: int
    temperature: float


@dataclass(frozen=True)
class _Answer:
    asked: Asked
    candidates: int
    suggestions: tuple[Suggestion, ...]


class SuggestionCache:
    """The latest answers of each document."""

    def __init__(self) -> None:
        self._answers: dict[str, deque[_Answer]] = {}

    def remember(self, uri: str, asked: Asked, candidates: int, suggestions: Sequence[Suggestion]) -> list[Suggestion]:
        """Keep an answer; gives it back with what was shown for the same state first, so that it stays in place."""
        shown = self._exact(uri, asked, 1) or []
        merged = list({one.text: one for one in (*shown[:1], *suggestions)}.values())
        answers = self._answers.setdefault(uri, deque(maxlen=_REMEMBERED))
        answers.appendleft(_Answer(asked, candidates, tuple(merged)))
        while len(answers) > 1 and sum(len(one.asked.text) for one in answers) > _CHARACTERS:
            answers.pop()
        return merged

    def find(self, uri: str, asked: Asked, candidates: int) -> list[Suggestion] | None:
        """The answer if it is known; None if the model must be asked.

        Args:
            uri: of the document.
            asked: its state and what is wanted.
            candidates: how many suggestions are wanted at least. A state typed through a suggestion may give fewer,
                but never none.
        """
        exact = self._exact(uri, asked, candidates)
        if exact is not None:
            return exact
        if candidates > 1:
            return None
        for answer in self._answers.get(uri, ()):
            rest = _typed_through(answer, asked)
            if rest:
                return rest
        return None

    def forget(self, uri: str) -> None:
        """Forget a document."""
        self._answers.pop(uri, None)

    def clear(self) -> None:
        """Forget everything: the model has changed."""
        self._answers.clear()

    def _exact(self, uri: str, asked: Asked, candidates: int) -> list[Suggestion] | None:
        for answer in self._answers.get(uri, ()):
            if answer.candidates >= candidates and answer.asked == asked:
                return list(answer.suggestions)
        return None


def _typed_through(answer: _Answer, asked: Asked) -> list[Suggestion]:
    """What is left of the suggestions whose beginning was typed at their place; empty if nothing is."""
    old = answer.asked
    if (old.measures, old.temperature) != (asked.measures, asked.temperature) or asked.offset <= old.offset:
        return []
    typed = asked.text[old.offset : asked.offset]
    fitting = [one for one in answer.suggestions if one.offset == old.offset and _extends(one.text, typed)]
    if not fitting or asked.text != replaced(old.text, Span(old.offset, old.offset), typed):
        return []
    return [replace(one, text=one.text[len(typed) :], offset=asked.offset) for one in fitting]


def _extends(text: str, typed: str) -> bool:
    """Whether something that can be seen is left."""
    return text.startswith(typed) and bool(text[len(typed) :].strip())
