"""From stored tokens back to a score.

What the tokens say is restored, nothing else: no titles, no marks, and every part in the signature of the first (which
changes no token, for pitch is relative to the signature).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from notation.score import KeySignature, Measure, Part, Score, TimeSignature, Voice
from notation.tokens import vocabulary as v
from notation.tokens.decode import decode_segment
from notation.tokens.encode import EncodedMeasure, barline_of
from training.dataset.tables import Tables


def restore_score(tables: Tables, piece: int, n_measures: int | None = None) -> Score:
    """The score of a piece in a table set; of its first `n_measures` only, if said."""
    record = tables.pieces[piece]
    stop = int(record["n_measures"]) if n_measures is None else n_measures
    encoded = [stored.encoded for stored in tables.read_measures(piece, 0, stop)]
    n_parts = int(record["n_parts"])
    rhythm, instruments = _preamble(tables.preamble(piece), n_parts)
    parts = []
    for part in range(n_parts):
        measures = tuple(restore_measure(measure, part) for measure in encoded)
        staves = max((voice.staff for measure in measures for voice in measure.voices), default=1)
        parts.append(Part(f"P{part + 1}", measures, instrument=instruments[part], staves=staves))
    return Score(tuple(parts), rhythm=rhythm)


def restore_measure(encoded: EncodedMeasure, part: int) -> Measure:
    """One part's measure."""
    time_name, fifths, mode = (v.TOKENS[token].partition(":")[2] for token in encoded.metre_and_key)
    key = KeySignature(int(fifths), "" if mode == "none" else mode)
    time = TimeSignature(()) if time_name == "none" else TimeSignature(*_beats(time_name))
    words = [v.TOKENS[token] for token in encoded.head]
    lengths = [int(word[len("len:") :]) * v.LENGTH_UNIT for word in words if word.startswith("len:")]
    length = lengths[0] if lengths else time.duration
    voices = tuple(
        Voice(tuple(decode_segment(segment.ids, key, length=length)), segment.staff, segment.number)
        for segment in encoded.segments
        if segment.part == part
    )
    return replace(
        Measure(voices, time, key),
        barline=None if encoded.barline is None else barline_of(encoded.barline),
        repeat_start=v.REPEAT_START in encoded.head,
        ending=tuple(int(word.partition(":")[2]) for word in words if word.startswith("ending:")),
    )


def _beats(name: str) -> tuple[tuple[int, ...], int]:
    beats, unit = name.split("/")
    return (int(beats),), int(unit)


def _preamble(preamble: Sequence[int], n_parts: int) -> tuple[str, list[str]]:
    """The dance, and the instrument of every part; empty where not said."""
    rhythm, part = "", 0
    instruments = [""] * n_parts
    for family, _, value in (v.TOKENS[token].partition(":") for token in preamble):
        if family == "rhythm":
            rhythm = value
        elif family == "part":
            part = int(value)
        elif family == "inst" and part < n_parts:
            instruments[part] = value
    return rhythm, instruments
