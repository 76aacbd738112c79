"""A stand-in for the model in tests of the server's own behaviour. Suggestions are told by the text alone.

A document that holds `SLOW` makes it work until it is no longer wanted, in steps it counts.
"""

from __future__ import annotations

import hashlib
import sys
import threading
import time
from collections.abc import Callable

from inference.completion import CompletionOptions, CompletionResult, Suggestion
from inference.errors import Cancelled
from notation.language import Document, Language


class FakeCompleter:
    """Satisfies `inference.completion.Completer` as far as the server uses it."""

    message = ""

    def __init__(self) -> None:
        self.calls = 0
        self.steps = 0
        self.began = threading.Event()

    def complete(
        self,
        document: Document,
        language: Language,
        offset: int,
        options: CompletionOptions,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> CompletionResult:
        self.calls += 1
        self.began.set()
        print(f"model call {self.calls}", file=sys.stderr, flush=True)
        site = language.completion_site(document, offset)
        self._work(document, options, cancelled)
        made = () if site is None else tuple(suggestion(document.text, offset, n) for n in range(options.candidates))
        return CompletionResult(made, site, {"total": 0.0}, "fake", "cpu")

    def _work(self, document: Document, options: CompletionOptions, cancelled: Callable[[], bool]) -> None:
        while "SLOW" in document.text and time.monotonic() < (options.deadline or 0.0):
            if cancelled():
                print(f"model stopped after {self.steps} steps", file=sys.stderr, flush=True)
                raise Cancelled("no longer wanted")
            self.steps += 1
            time.sleep(0.001)


def suggestion(text: str, offset: int, candidate: int) -> Suggestion:
    """The candidate for a text; another text gives another."""
    digest = hashlib.sha256(f"{text}\0{offset}\0{candidate}".encode("utf-8", "surrogatepass")).digest()
    notes = " ".join("CDEFGABc"[byte % 8] for byte in digest[:4])
    return Suggestion(f"{notes}{candidate} |", offset, 1, -0.5 - candidate, f"fake candidate {candidate}")
