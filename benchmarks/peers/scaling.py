"""Does an edit cost more in a longer document?

The same piece as it is and ten times over, the same note typed at the same place in the middle, and the times compared
from the edit to the diagnostics (the parse) and to the suggestion (parse, model, verification). Before the note is
typed, the document without it has been read and completed, as happens while somebody types; then only the edit is new.
The place is a measure whose end is missing; its barline stands.

    python -m benchmarks.peers.scaling --json
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import Progress

from benchmarks.peers.pairing import AsJson, Benchmark, Comparison, Core, Out, compare, report, seconds, use_one_core
from export.bench.documents import load_pieces
from inference.completion import Completer, CompletionOptions, load_completer
from notation.language import language
from notation.score import Score
from notation.source import Span, replaced

GOAL = 1.2
TIMES = 10
TUNES = 10
"""Tunes of a book before it is made longer."""
MEASURES = 32
"""Measures of a piece, at least, before it is made longer."""
WARM_UP = 2
KEPT_EVENTS = 2
"""Events that a measure keeps before the one that is typed."""

Shape = Literal["piece", "book"]


@dataclass(frozen=True, slots=True)
class Edit:
    """A note that is typed.

    Attributes:
        before: the document without the rest of a measure.
        offset: where it is missing.
        rest: what is missing.
        typed: the note, with which the rest begins.
    """

    before: str
    offset: int
    rest: str
    typed: str

    @property
    def after(self) -> str:
        """The document with the note."""
        return replaced(self.before, Span(self.offset, self.offset), self.typed)


@dataclass(frozen=True, slots=True)
class Pair:
    """The same edit in the short document and in the long one."""

    short: Edit
    long: Edit


def base_score(name: str) -> Score:
    """The piece of one voice (ABC) or of four (MusicXML) that comes with the program, `MEASURES` long."""
    pieces = [piece for piece in load_pieces() if piece.language == name]
    scores = [language(name).parse(piece.text).scores[0] for piece in pieces]
    score = (min if name == "abc" else max)(scores, key=lambda one: len(one.parts))
    return lengthened(score, -(-MEASURES // len(score.parts[0].measures)))


def lengthened(score: Score, times: int) -> Score:
    """The same piece several times over."""
    return replace(score, parts=tuple(replace(part, measures=part.measures * times) for part in score.parts))


def pairs(name: str, shape: Shape, n: int, seed: int) -> list[Pair]:
    """Edits in the first part of a document, and in the middle of one that is `TIMES` as long.

    Args:
        name: of the language.
        shape: `piece` for one piece that is longer, `book` for an ABC file of more tunes.
        n: how many at most.
        seed: which ones.
    """
    notation, score = language(name), base_score(name)
    if shape == "book":
        short = notation.print([score] * TUNES)
        long = notation.print([score] * TUNES * TIMES)
        places = [(TUNES // 2, TUNES * TIMES // 2, index, index) for index in range(len(score.parts[0].measures))]
    else:
        short, long = notation.print([score]), notation.print([lengthened(score, TIMES)])
        length = len(score.parts[0].measures)
        places = [(0, 0, index, index + length * (TIMES // 2)) for index in range(length)]
    documents = notation.parse(short), notation.parse(long)
    found = []
    for tune, long_tune, index, long_index in random.Random(seed).sample(places, len(places)):
        edits = (
            edit_at(short, documents[0].scores[tune], index),
            edit_at(long, documents[1].scores[long_tune], long_index),
        )
        if edits[0] and edits[1]:
            found.append(Pair(edits[0], edits[1]))
    return found[:n]


def edit_at(text: str, score: Score, index: int, part: int = 0) -> Edit | None:
    """A note to type in a measure of a part; None if the measure has too few."""
    voices = score.parts[part].measures[index].voices
    events = voices[0].events if voices else ()
    if len(events) < KEPT_EVENTS + 2 or any(not event.notes or event.grace for event in events):
        return None
    next_event = events[KEPT_EVENTS].span
    start, end = next_event.start, events[-1].span.end
    return Edit(text[:start] + text[end:], start, text[start:end], next_event.text(text))


def to_diagnostics(name: str, edit: Edit) -> float:
    """From the edit to the diagnostics."""
    notation = language(name)
    notation.parse(edit.before)
    return seconds(lambda: notation.parse(edit.after).diagnostics)


def to_suggestion(completer: Completer, name: str, edit: Edit) -> float:
    """From the edit to the suggestion."""
    notation = language(name)
    end = edit.offset + len(edit.typed)
    completer.complete(notation.parse(edit.before), notation, edit.offset, CompletionOptions())
    return seconds(lambda: completer.complete(notation.parse(edit.after), notation, end, CompletionOptions()))


def measure(
    completer: Completer, name: str, shape: Shape, n: int, rounds: int, seed: int, progress: Progress
) -> list[Comparison]:
    """The comparisons of one kind of document."""
    found = pairs(name, shape, n + WARM_UP, seed)
    what = f"{name}, a {shape}"
    lengths = f"{len(found[0].long.before):,} characters", f"{len(found[0].short.before):,} characters"
    task = progress.add_task(what, total=2 * rounds * (len(found) - WARM_UP))

    def timed(until: str, time_edit: Callable[[Edit], float]) -> list[Comparison]:
        return compare(
            f"{what}: edit to {until}",
            found[WARM_UP:],
            (lengths[0], lambda pair: time_edit(pair.long)),
            {lengths[1]: lambda pair: time_edit(pair.short)},
            warm_up=found[:WARM_UP],
            rounds=rounds,
            goals={lengths[1]: GOAL},
            leaves_out="the editor, the protocol",
            progress=lambda: progress.advance(task),
        )

    return [
        *timed("diagnostics", lambda edit: to_diagnostics(name, edit)),
        *timed("suggestion", lambda edit: to_suggestion(completer, name, edit)),
    ]


def main(
    model: Annotated[str | None, typer.Option(help="a bundle's name or folder; the shipped one by default")] = None,
    n: Annotated[int, typer.Option("--edits", min=1, help="in each kind of document")] = 12,
    rounds: Annotated[int, typer.Option(min=1, help="how often each is made; the median of its times counts")] = 5,
    seed: int = 0,
    core: Core = None,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Time the same edit in a document and in one ten times as long."""
    use_one_core(core)
    completer = load_completer(model, "cpu", 1)
    kinds: list[tuple[str, Shape]] = [("abc", "piece"), ("abc", "book"), ("musicxml", "piece")]
    with Progress(console=Console(stderr=True)) as progress:
        found = [one for name, shape in kinds for one in measure(completer, name, shape, n, rounds, seed, progress)]
    benchmark = Benchmark(
        "scaling",
        "Does an edit cost more in a longer document?",
        f"The same note typed in a document and in the middle of one {TIMES} times as long: a piece of at least "
        f"{MEASURES} measures, one voice in ABC and four in MusicXML, and a book of {TUNES} such tunes. "
        "*Ours* is the long document, *peer* the short one.",
        found,
        ("lxml",),
        [f"Suggestions are of one measure, by {completer.model}."],
    )
    report(benchmark, "python -m benchmarks.peers.scaling", as_json, out)


if __name__ == "__main__":
    typer.run(main)
