"""Bach chorales on the sixteenth-note grid: 382 chorales with the published train, valid and test split.

Source: https://github.com/czhuang/JSB-Chorales-dataset (`Jsb16thSeparated.json`). Licence: none is stated, so this is a
benchmark only and no released weights may come of it.
The grid does not tell a held note from a repeated one: equal neighbours become one note, cut at barlines. There is no
metre and no key in it: measures of four quarters are assumed, and the spelling is that of the signature that
leaves the fewest notes outside. The split is in the id: `jsb_json/test/12`. Nothing is left out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from itertools import groupby
from pathlib import Path

from notation.score import Barline, Event, KeySignature, Measure, Note, Part, Pitch, Score, Voice
from training.corpora.base import Corpus, Piece, Pin, Read, collect, find_files, relative

_NAME = "jsb_json"
_URL = "https://github.com/czhuang/JSB-Chorales-dataset"
_FILE = "Jsb16thSeparated.json"
_STEP = Fraction(1, 16)
_STEPS_PER_MEASURE = 16
_VOICES = ("soprano", "alto", "tenor", "bass-voice")
_CLEFS = ("treble", "treble", "treble-8", "bass")
_FIFTHS_ORDER = "FCGDAEB"
_NATURALS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def _list_files(root: Path) -> list[Path]:
    return find_files(root, _FILE)


def _read(root: Path, path: Path) -> Read:
    try:
        splits: dict[str, list[list[list[int]]]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return Read(skipped=((relative(root, path), f"unreadable: {error}"),))
    pieces: list[Piece] = []
    skipped: list[tuple[str, str]] = []
    for split, chorales in splits.items():
        scores = [chorale_score(frames) for frames in chorales]
        read = collect(f"{_NAME}/{split}", scores, partial(_piece, split))
        pieces += read.pieces
        skipped += read.skipped
    return Read(tuple(pieces), tuple(skipped))


def _piece(split: str, number: int, score: Score) -> Piece:
    identity = f"{_NAME}/{split}/{number}"
    return Piece(identity, identity, "Bach, Johann Sebastian", "", score, "unknown", _FILE, "hymn")


def chorale_score(frames: Sequence[Sequence[int]]) -> Score:
    """A score of four parts from MIDI key numbers, shape (time, voice), one frame a sixteenth; -1 is silence."""
    key = _best_key(Counter(int(note) % 12 for frame in frames for note in frame if note >= 0))
    spelling = {pitch_class: _spell(pitch_class, key.fifths) for pitch_class in range(12)}
    parts = [
        Part(name, _measures([int(frame[index]) for frame in frames], key, spelling, _CLEFS[index]), name, name)
        for index, name in enumerate(_VOICES)
    ]
    return Score(tuple(parts))


def _measures(
    line: Sequence[int], key: KeySignature, spelling: dict[int, tuple[str, int]], clef: str
) -> tuple[Measure, ...]:
    starts = range(0, len(line), _STEPS_PER_MEASURE)
    return tuple(
        Measure(
            voices=(Voice(_events(line[start : start + _STEPS_PER_MEASURE], spelling)),),
            key=key,
            barline=Barline("final" if start == starts[-1] else "regular"),
            clefs=(clef,),
        )
        for start in starts
    )


def _events(line: Sequence[int], spelling: dict[int, tuple[str, int]]) -> tuple[Event, ...]:
    events: list[Event] = []
    onset = Fraction(0)
    for midi, run in groupby(line):
        duration = len(list(run)) * _STEP
        notes = (Note(_pitch(midi, spelling)),) if midi >= 0 else ()
        events.append(Event(onset, duration, notes))
        onset += duration
    return tuple(events)


def _pitch(midi: int, spelling: dict[int, tuple[str, int]]) -> Pitch:
    step, alter = spelling[midi % 12]
    return Pitch(step, (midi - alter) // 12 - 1, alter)


def _best_key(counts: Counter[int]) -> KeySignature:
    def inside(fifths: int) -> int:
        key = KeySignature(fifths)
        return sum(counts[(natural + key.alter_of(step)) % 12] for step, natural in _NATURALS.items())

    return KeySignature(max(sorted(range(-7, 8), key=abs), key=inside))


def _spell(pitch_class: int, fifths: int) -> tuple[str, int]:
    """The (step, alter) of a pitch class that is nearest to a signature on the line of fifths."""
    centre = fifths + 2
    position = min(
        (place for place in range(centre - 6, centre + 7) if (place * 7) % 12 == pitch_class),
        key=lambda place: (abs(place - centre), place),
    )
    return _FIFTHS_ORDER[(position + 1) % 7], (position + 1) // 7


CORPUS = Corpus(
    name=_NAME,
    genre="hymn",
    licence="none stated",
    attribution="JSB Chorales, prepared by Nicolas Boulanger-Lewandowski and Cheng-Zhi Anna Huang.",
    source_url=_URL,
    release=False,
    use="benchmark",
    list_files=_list_files,
    read=_read,
    pin=Pin("9a7f733ddb4ed91f48da64ac7f0f621c34aadd4d", 1, ("Jsb16thSeparated.json",)),
)
