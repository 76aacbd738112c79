"""A score as a Standard MIDI File: a track a part, as written, repeats not played out.

Ticks: `TICKS_PER_QUARTER` a quarter, which triplets, quintuplets and septuplets divide. Velocity and tempo are even.
Pure.

Source: Standard MIDI Files 1.0.
"""

from __future__ import annotations

from fractions import Fraction

from notation.score import Event, Measure, Part, Score

TICKS_PER_QUARTER = 10080
_QUARTER = Fraction(1, 4)
_VELOCITY = 80
_LAST_CHANNEL = 15
_DRUMS = 9

Message = tuple[int, int, bytes]
"""When (ticks), in which order at that time, and the bytes."""


def write_midi(score: Score) -> bytes:
    """The bytes of a MIDI file of format 1."""
    starts = _measure_starts(score)
    tracks = [_track(_metre_messages(score, starts))]
    tracks += [_track(_part_messages(part, starts, _channel(index))) for index, part in enumerate(score.parts)]
    header = (
        b"MThd"
        + (6).to_bytes(4, "big")
        + b"".join(number.to_bytes(2, "big") for number in (1, len(tracks), TICKS_PER_QUARTER))
    )
    return header + b"".join(tracks)


def _channel(index: int) -> int:
    """A channel for a part: round and round, but never the drums'."""
    channel = index % _LAST_CHANNEL
    return channel + (channel >= _DRUMS)


def _measure_starts(score: Score) -> list[Fraction]:
    """When each measure begins, in whole notes: as long as its longest part."""
    starts = [Fraction(0)]
    for index in range(score.n_measures):
        column = [part.measures[index] for part in score.parts if index < len(part.measures)]
        starts.append(starts[-1] + (max(measure.duration for measure in column) or column[0].time.duration or 0))
    return starts


def _ticks(time: Fraction) -> int:
    return round(time / _QUARTER * TICKS_PER_QUARTER)


def _metre_messages(score: Score, starts: list[Fraction]) -> list[Message]:
    messages: list[Message] = []
    before = None
    for measure, start in zip(score.parts[0].measures if score.parts else (), starts, strict=False):
        if measure.time != before and measure.time.beats:
            before = measure.time
            data = bytes([min(255, sum(before.beats)), before.unit.bit_length() - 1, 24, 8])
            messages.append((_ticks(start), 0, b"\xff\x58\x04" + data))
    return messages


def _part_messages(part: Part, starts: list[Fraction], channel: int) -> list[Message]:
    messages: list[Message] = []
    held: dict[tuple[int, int, int], Fraction] = {}
    for measure, start in zip(part.measures, starts, strict=False):
        for voice in measure.voices:
            for event in voice.events:
                messages += _event_messages(event, measure, start, (voice.staff, voice.number), held, channel)
    return messages


def _event_messages(
    event: Event,
    measure: Measure,
    start: Fraction,
    voice: tuple[int, int],
    held: dict[tuple[int, int, int], Fraction],
    channel: int,
) -> list[Message]:
    """The notes of an event that end with it; tied ones are held until the last."""
    messages: list[Message] = []
    for note in event.notes if not event.grace else ():
        key = note.pitch.midi + measure.transpose
        began = held.pop((*voice, key), start + event.onset)
        if note.tie:
            held[(*voice, key)] = began
        elif 0 <= key <= 127:
            messages.append((_ticks(began), 1, bytes([0x90 | channel, key, _VELOCITY])))
            messages.append((_ticks(start + event.end), 0, bytes([0x80 | channel, key, 0])))
    return messages


def _track(messages: list[Message]) -> bytes:
    data, now = bytearray(), 0
    for time, _, message in sorted(messages):
        data += _variable_length(time - now) + message
        now = time
    data += b"\x00\xff\x2f\x00"
    return b"MTrk" + len(data).to_bytes(4, "big") + bytes(data)


def _variable_length(number: int) -> bytes:
    """A number in seven bits a byte, the highest first; all but the last have their top bit set."""
    parts = [number & 0x7F]
    while number := number >> 7:
        parts.append(0x80 | (number & 0x7F))
    return bytes(reversed(parts))
