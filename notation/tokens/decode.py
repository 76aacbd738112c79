"""From tokens back to events.

The inverse of `notation.tokens.encode`, segment by segment. Units: durations are Fractions of a whole note.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from notation.score import STEPS, ChordSymbol, Event, KeySignature, Note, Pitch
from notation.tokens import vocabulary as v
from notation.tokens.encode import tonic_position


def decode_segment(
    ids: Sequence[int],
    key: KeySignature,
    start: Fraction = Fraction(0),
    current: v.Duration = v.DEFAULT_DURATION,
    length: Fraction | None = None,
) -> list[Event]:
    """The events of one voice.

    Args:
        ids: tokens of one segment, or of its end.
        key: in force for the part.
        start: onset of the first event.
        current: the duration in force before the first token.
        length: what a whole-measure rest lasts; a whole note if None.

    Raises:
        ValueError: the tokens are no legal segment: a fault of the grammar, never of the user's text.
    """
    reader = _Reader(key, start, current)
    for token_id in ids:
        reader.read(token_id, length or Fraction(1))
    return reader.finish()


def pitch_of(step: int, alter: int, key: KeySignature) -> Pitch:
    """The pitch that is `step` diatonic steps from the tonic, `alter` against the signature."""
    position = step + tonic_position(key.fifths)
    return Pitch.at(position, alter + key.alter_of(STEPS[position % 7]))


class _Reader:
    """Reads one token at a time; an event is complete when the next one begins."""

    def __init__(self, key: KeySignature, onset: Fraction, current: v.Duration) -> None:
        self.key = key
        self.onset = onset
        self.current = current
        self.events: list[Event] = []
        self.notes: list[Note] = []
        self.last_step = 0
        self.grace = False
        self.symbol: ChordSymbol | None = None

    def read(self, token_id: int, length: Fraction) -> None:
        if (note := v.NOTE_OF.get(token_id)) is not None:
            self._end_event()
            self._add_note(*note)
        elif (up := v.UP_OF.get(token_id)) is not None:
            self._add_note(self.last_step + up[0], up[1])
        elif token_id == v.TIE:
            self.notes[-1] = Note(self.notes[-1].pitch, tie=True)
        else:
            self._end_event()
            self._read_other(token_id, length)

    def finish(self) -> list[Event]:
        self._end_event()
        return self.events

    def _read_other(self, token_id: int, length: Fraction) -> None:
        if (duration := v.DURATION_OF.get(token_id)) is not None:
            self.current = duration
        elif token_id in (v.REST, v.HIDDEN_REST):
            self._add_event(*self.current, hidden=token_id == v.HIDDEN_REST)
        elif token_id == v.MEASURE_REST:
            self._add_event(length, None, whole_measure=True)
        elif token_id == v.GRACE:
            self.grace = True
        else:
            self._read_symbol(v.TOKENS[token_id])

    def _read_symbol(self, token: str) -> None:
        family, _, value = token.partition(":")
        if token == "h:none":
            self.symbol = ChordSymbol(None, "none")
        elif family == "h":
            self.symbol = ChordSymbol(self._degree(value), "major")
        elif family == "k" and self.symbol is not None:
            self.symbol = ChordSymbol(self.symbol.root, value)
        elif family == "b" and self.symbol is not None:
            self.symbol = ChordSymbol(self.symbol.root, self.symbol.kind, self._degree(value))
        else:
            raise ValueError(f"token '{token}' does not belong in a segment")

    def _degree(self, value: str) -> tuple[str, int]:
        step, alter = value.split(":")
        pitch = pitch_of(int(step), int(alter), self.key)
        return pitch.step, pitch.alter

    def _add_note(self, step: int, alter: int) -> None:
        self.notes.append(Note(pitch_of(step, alter, self.key)))
        self.last_step = step

    def _end_event(self) -> None:
        if not self.notes:
            return
        notes, self.notes = tuple(self.notes), []
        if self.grace:
            self._add_event(Fraction(0), None, notes, grace=True)
        else:
            self._add_event(*self.current, notes)
        self.grace = False

    def _add_event(
        self,
        duration: Fraction,
        tuplet: tuple[int, int] | None,
        notes: tuple[Note, ...] = (),
        *,
        grace: bool = False,
        hidden: bool = False,
        whole_measure: bool = False,
    ) -> None:
        event = Event(self.onset, duration, notes, tuplet, grace, hidden, whole_measure, self.symbol)
        self.events.append(event)
        self.symbol = None
        self.onset = event.end
