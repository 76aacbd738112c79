"""Do two independent readers of Humdrum **kern find the same notes?

Ours (`notation.kern`) is read against converter21, which stands on music21 and shares no code with it. A measure agrees
if both find the same multiset of notes beginning in it, over all staves: onset in the measure, step, octave, alter and
duration, all exact. Tied notes are one, for where a note crosses a barline ours writes two; grace notes last 0.
Measures without notes are not counted. Measures are paired by difflib, so that one barline that only one reader takes
for the end of a measure costs that measure and not all that follow.

    python -m benchmarks.kern_readers FOLDER --files 150 --out benchmarks/kern_readers.md

Some of a text is not shown to converter21, for it says nothing of the notes: reference records, on which its 4.0 fails
beside music21 10; *tremolo, which makes it fold written-out repetitions into one sign; *8va and the like, under which
it gives the place on the staff, an octave from the sounding pitch that the text says.
"""

from __future__ import annotations

import random
import re
import warnings
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.progress import track

from notation import kern
from training.corpora.base import find_files, read_text, relative

_MEANING = {
    "ties": "ours unties a note that the next one of its own voice does not take up; converter21 ties across voices",
    "onsets": "mensural music: where a long note stands over a barline, ours ends the measure where the metre says",
    "pitches (written or sounding)": "*ITrd8c12, an octave that was counted as eight steps: converter21 spells it so",
}
"""Where the differences that we looked at come from."""

_HIDDEN = re.compile(r"\*X?(?:tremolo|8va|8ba|15ma|15ba)\b")

Sounding = tuple[Fraction, str, int, int, Fraction]
"""(onset in the measure, step, octave, alter, duration) of one note, in whole notes; pitches as written."""


MeasureNotes = frozenset[tuple[Sounding, int]]
"""The notes of one measure of all staves, each with how often it is there."""


class Reading(NamedTuple):
    """What one reader finds in a text, measure by measure.

    Attributes:
        measures: the notes that begin in each.
        blurred: the same with every note joined to the next one of its pitch, tied or not.
    """

    measures: list[MeasureNotes]
    blurred: list[MeasureNotes]


class _Note(NamedTuple):
    """A note somewhere in the piece; `tied` if the next one of its pitch goes on with it."""

    onset: Fraction
    pitch: tuple[str, int, int]
    duration: Fraction
    tied: bool


@dataclass
class Comparison:
    """What two readers found in the same files.

    Attributes:
        n_files: that both could read.
        n_measures: with notes, in either reading.
        n_agreeing: with the same notes in both.
        n_perfect: files in which all measures agree.
        causes: measures that do not agree, by what is different.
        unread: (file, what converter21 says) of files that it cannot read.
        examples: for each cause, where to look.
    """

    n_files: int = 0
    n_measures: int = 0
    n_agreeing: int = 0
    n_perfect: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    unread: list[tuple[str, str]] = field(default_factory=list)
    examples: dict[str, list[str]] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """The share of measures that agree."""
        return self.n_agreeing / max(1, self.n_measures)

    def add(self, name: str, ours: Reading, theirs: Reading) -> None:
        """Count the measures of one file."""
        n_agreeing = n_measures = 0
        matcher = SequenceMatcher(None, ours.measures, theirs.measures, False)
        for tag, start, stop, other_start, other_stop in matcher.get_opcodes():
            one, other = ours.measures[start:stop], theirs.measures[other_start:other_stop]
            n_sounding = max(sum(map(bool, one)), sum(map(bool, other)))
            n_measures += n_sounding
            if tag == "equal":
                n_agreeing += n_sounding
                continue
            is_moved = len(one) != len(other)
            causes = ["barlines"] * n_sounding if is_moved else list(map(_cause, one, other))
            for index, cause in enumerate(causes):
                if not is_moved and ours.blurred[start + index] == theirs.blurred[other_start + index]:
                    cause = "ties"
                self.causes[cause] += 1
                self.examples.setdefault(cause, []).append(f"{name}, measure {start + index + 1}")
        self.n_files += 1
        self.n_measures += n_measures
        self.n_agreeing += n_agreeing
        self.n_perfect += n_agreeing == n_measures


def read_ours(text: str) -> Reading:
    """What `notation.kern` reads."""
    (score,) = kern.parse(text).scores
    starts, end = [], Fraction(0)
    for measure in score.parts[0].measures if score.parts else ():
        starts.append(end)
        end += measure.duration
    staves = [
        [
            _Note(start + event.onset, (note.pitch.step, note.pitch.octave, note.pitch.alter), event.duration, note.tie)
            for start, measure in zip(starts, part.measures, strict=True)
            for voice in measure.voices
            if voice.staff == staff
            for event in voice.events
            for note in event.notes
        ]
        for part in score.parts
        for staff in range(1, part.staves + 1)
    ]
    return _reading(starts, staves)


def read_theirs(text: str) -> Reading:
    """What converter21 reads.

    Raises:
        Exception: whatever it says when it cannot read the text.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import converter21
        import music21

        converter21.register()
        plain = "\n".join(line for line in text.split("\n") if not line.startswith("!!!"))
        score = music21.converter.parse(_HIDDEN.sub("*", plain), format="humdrum")
        parts = [list(part.getElementsByClass("Measure")) for part in score.parts]
        starts = [_whole_notes(measure.offset) for measure in max(parts, key=len, default=[])]
        return _reading(starts, [[note for measure in part for note in _notes_of(measure)] for part in parts])


def _notes_of(measure: Any) -> Iterator[_Note]:
    start = _whole_notes(measure.offset)
    for event in measure.recurse().notes:
        if "ChordSymbol" in event.classes or "Unpitched" in event.classes:
            continue
        onset = start + _whole_notes(event.getOffsetInHierarchy(measure))
        duration = Fraction(0) if event.duration.isGrace else _whole_notes(event.duration.quarterLength)
        for note in getattr(event, "notes", (event,)):
            pitch = (note.pitch.step, note.pitch.octave, int(note.pitch.alter))
            yield _Note(onset, pitch, duration, note.tie is not None and note.tie.type in ("start", "continue"))


def _reading(starts: Sequence[Fraction], staves: Sequence[Sequence[_Note]]) -> Reading:
    """The notes of all staves by measure, given where the measures begin."""
    tied = [note for staff in staves for note in _joined(staff)]
    blurred = [note for staff in staves for note in _joined([note._replace(tied=True) for note in staff])]
    return Reading(_by_measure(starts, tied), _by_measure(starts, blurred))


def _joined(notes: Iterable[_Note]) -> list[_Note]:
    """The notes of a staff with each chain of tied ones as one."""
    joined: list[_Note] = []
    held: dict[tuple[Fraction, tuple[str, int, int]], list[int]] = {}
    for note in sorted(notes, key=lambda note: note.onset):
        waiting = held.get((note.onset, note.pitch)) if note.duration else None
        if waiting:
            place = waiting.pop()
            joined[place] = joined[place]._replace(duration=joined[place].duration + note.duration)
        else:
            place = len(joined)
            joined.append(note)
        if note.tied and note.duration:
            held.setdefault((note.onset + note.duration, note.pitch), []).append(place)
    return joined


def _by_measure(starts: Sequence[Fraction], notes: Iterable[_Note]) -> list[MeasureNotes]:
    found: list[Counter[Sounding]] = [Counter() for _ in starts]
    for note in notes:
        index = bisect_right(starts, note.onset) - 1
        found[index][(note.onset - starts[index], *note.pitch, note.duration)] += 1
    return [frozenset(counts.items()) for counts in found]


def _whole_notes(quarters: Any) -> Fraction:
    return Fraction(quarters).limit_denominator(10_000) / 4


def _cause(ours: MeasureNotes, theirs: MeasureNotes) -> str:
    """In what two readings of a measure differ."""
    one, other = Counter(dict(ours)), Counter(dict(theirs))
    ours_alone, theirs_alone = one - other, other - one
    differing = [*ours_alone, *theirs_alone]
    if all(note[4] == 0 for note in differing):
        return "grace notes"
    if _without(ours_alone, 4) == _without(theirs_alone, 4):
        return "durations"
    if _without(ours_alone, 3) == _without(theirs_alone, 3):
        return "alterations"
    if _without(ours_alone, 2) == _without(theirs_alone, 2):
        return "octaves"
    if _without(ours_alone, 0) == _without(theirs_alone, 0):
        return "onsets"
    if _without(ours_alone, 1, 2, 3) == _without(theirs_alone, 1, 2, 3):
        return "pitches (written or sounding)"
    if not theirs_alone:
        return "notes that only ours finds"
    if not ours_alone:
        return "notes that only converter21 finds"
    return "several at once"


def _without(notes: Counter[Sounding], *fields: int) -> Counter[tuple[Any, ...]]:
    """Notes as if some of their fields were not known."""
    seen: Counter[tuple[Any, ...]] = Counter()
    for note, count in notes.items():
        seen[tuple(value for place, value in enumerate(note) if place not in fields)] += count
    return seen


def compare(root: Path, paths: Sequence[Path]) -> Comparison:
    """Read some files with both readers."""
    comparison = Comparison()
    for path in track(paths, description="reading twice"):
        text, name = read_text(path), relative(root, path)
        try:
            theirs = read_theirs(text)
        except Exception as error:  # the second reader's own faults are a finding, not an end
            comparison.unread.append((name, f"{type(error).__name__}: {error}"[:100]))
            continue
        comparison.add(name, read_ours(text), theirs)
    return comparison


def report(comparison: Comparison, n_drawn: int, max_bytes: int, seed: int) -> str:
    """The page."""
    lines = [
        "# Two readers of Humdrum kern",
        "",
        f"`python -m benchmarks.kern_readers FOLDER --files {n_drawn} --seed {seed}` on the files of at most "
        f"{max_bytes:,} bytes of",
        "https://github.com/pl-wnifc/humdrum-polish-scores. A measure agrees if ours and converter21 find exactly the",
        "same notes in it, over all staves: onset, spelling, octave, duration; tied notes are one.",
        "",
        "| files drawn | read by both | measures with notes | agree | files that agree in all measures |",
        "|--:|--:|--:|--:|--:|",
        f"| {n_drawn} | {comparison.n_files} | {comparison.n_measures:,} | {comparison.share:.2%} | "
        f"{comparison.n_perfect} |",
        "",
        "| what differs | measures | most often because of |",
        "|---|--:|---|",
        *(f"| {cause} | {count:,} | {_MEANING.get(cause, '')} |" for cause, count in comparison.causes.most_common()),
        "",
    ]
    if comparison.unread:
        failures = Counter(reason for _, reason in comparison.unread)
        lines += ["converter21 cannot read the others:", ""]
        lines += [f"- {count}: `{reason}`" for reason, count in failures.most_common()]
        lines.append("")
    return "\n".join(lines)


def main(
    root: Annotated[Path, typer.Argument(help="A folder of .krn files.")],
    files: Annotated[int, typer.Option(min=1, help="How many files to draw.")] = 150,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    max_bytes: Annotated[int, typer.Option(help="Draw no larger files; converter21 reads 10 kB a second.")] = 150_000,
    out: Annotated[Path | None, typer.Option(help="Write the page here.")] = None,
) -> None:
    """Read a random sample of files with both readers and tell where they differ."""
    candidates = [path for path in find_files(root, "*.krn") if path.stat().st_size <= max_bytes]
    drawn = random.Random(seed).sample(candidates, min(files, len(candidates)))
    comparison = compare(root, drawn)
    page = report(comparison, len(drawn), max_bytes, seed)
    for cause, places in comparison.examples.items():
        print(f"{cause}: {places[0]}; {places[-1]}")
    print(page)
    if out:
        out.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
