"""Which share of the tunes of a corpus survives parse -> print -> parse, and what is lost where it does not?

As a program: `python -m tests.notation.abc.roundtrip FOLDER...` prints one line a corpus and the failures by reason.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from notation.abc import LANGUAGE, decode_bytes
from notation.score import Event, Measure, Part, Score


def packaged_corpus() -> list[Path]:
    """The ABC files that music21 brings along, without importing it."""
    spec = find_spec("music21")
    assert spec is not None, "music21 is not installed; it brings the corpus of these tests"
    assert spec.submodule_search_locations is not None
    folder = Path(spec.submodule_search_locations[0]) / "corpus"
    return sorted(folder.rglob("*.abc"))


def read_tunes(files: Iterable[Path]) -> Iterator[tuple[Path, Score]]:
    """Every tune of the files."""
    for file in files:
        text, _ = decode_bytes(file.read_bytes())
        for score in LANGUAGE.parse(text).scores:
            yield file, score


def round_trip(score: Score) -> str:
    """What differs after printing and parsing a score; empty if nothing does."""
    scores = LANGUAGE.parse(LANGUAGE.print([score])).scores
    if len(scores) != 1:
        return f"{len(scores)} tunes"
    return difference(score, scores[0])


def difference(one: Score, other: Score) -> str:
    """The first thing in which two scores differ, in a few words; empty if they are equal."""
    if one == other:
        return ""
    for name in ("title", "composer", "rhythm", "fields"):
        if getattr(one, name) != getattr(other, name):
            return f"{name}: {getattr(one, name)} and {getattr(other, name)}"
    if len(one.parts) != len(other.parts):
        return f"{len(one.parts)} and {len(other.parts)} parts"
    return next(filter(None, map(_part_difference, one.parts, other.parts)), "something else")


def _part_difference(one: Part, other: Part) -> str:
    if (one.id, one.name, len(one.measures)) != (other.id, other.name, len(other.measures)):
        return f"part {one.id} of {len(one.measures)} and {other.id} of {len(other.measures)} measures"
    pairs = enumerate(zip(one.measures, other.measures, strict=True), 1)
    return next((f"measure {number} {_measure_difference(*pair)}" for number, pair in pairs if pair[0] != pair[1]), "")


def _measure_difference(one: Measure, other: Measure) -> str:
    names = ("time", "key", "barline", "repeat_start", "ending", "transpose", "clefs")
    for name in names:
        if getattr(one, name) != getattr(other, name):
            return f"{name}: {getattr(one, name)} and {getattr(other, name)}"
    events = [[event for voice in measure.voices for event in voice.events] for measure in (one, other)]
    if len(events[0]) != len(events[1]):
        return f"events: {len(events[0])} and {len(events[1])}"
    return next((_event_difference(*pair) for pair in zip(*events, strict=True) if pair[0] != pair[1]), "voices")


def _event_difference(one: Event, other: Event) -> str:
    names = ("onset", "duration", "notes", "tuplet", "grace", "hidden", "whole_measure", "chord_symbol", "marks")
    return next(
        f"{name}: {getattr(one, name)} and {getattr(other, name)}"
        for name in names
        if getattr(one, name) != getattr(other, name)
    )


def main(folders: list[str]) -> None:
    """Print the report."""
    for folder in folders:
        reasons: Counter[str] = Counter()
        failures = []
        for file, score in read_tunes(sorted(Path(folder).rglob("*.abc"))):
            lost = round_trip(score)
            reasons[lost.split(":")[0]] += 1
            if lost:
                failures.append(f"  {file.name}: {score.title}: {lost}")
        total = sum(reasons.values())
        print(f"{folder}: {reasons['']} of {total} tunes are the same ({100 * reasons[''] / max(1, total):.2f} %)")
        print("\n".join(failures))


if __name__ == "__main__":
    main(sys.argv[1:])
