"""A notation language so small that tests of the server can foresee everything it says.

Music may be written anywhere but on lines that begin with `%`. Every `?` is an error. `!` begins a decoration.
Text that holds `BOOM` makes the parser raise, which a language must never do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from notation.diagnostic import Diagnostic, Severity
from notation.language import Document, TableItem
from notation.score import KeySignature, Measure, Part, Score, TimeSignature
from notation.site import CompletionSite
from notation.source import Span


class FakeLanguage:
    """See the module."""

    name = "abc"
    suffixes = (".abc",)

    def parse(self, text: str, near: Document | None = None) -> Document:
        if "BOOM" in text:
            raise RuntimeError(f"cannot parse {text}")
        diagnostics = [
            Diagnostic("question", Severity.ERROR, Span(hit.start(), hit.end()), "a question mark", "Fake 1, 2.3")
            for hit in re.finditer(r"\?", text)
        ]
        return Document(text, (Score((Part("1", (Measure(),)),)),), tuple(diagnostics))

    def print(self, scores: Sequence[Score]) -> str:
        return "\n".join(score.title for score in scores)

    def completion_site(self, document: Document, offset: int) -> CompletionSite | None:
        line_start = document.text.rfind("\n", 0, offset) + 1
        if document.text.startswith("%", line_start):
            return None
        return CompletionSite("abc", offset, document.scores[0], 0, 0, TimeSignature(), KeySignature())

    def render(self, site: CompletionSite, measures: Sequence[Measure]) -> str:
        return "|".join("z4" for _ in measures)

    def table_items(self, document: Document, offset: int) -> list[TableItem]:
        begun = re.search(r"![a-z]*\Z", document.text[:offset])
        if begun is None:
            return []
        span = Span(begun.start(), offset)
        return [TableItem(name, name, span, "decoration", f"a {name}") for name in ("!trill!", "!fermata!")]


LANGUAGE = FakeLanguage()
