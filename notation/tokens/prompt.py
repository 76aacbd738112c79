"""What the model reads at a completion site, and which tokens it may answer with.

A prompt is the header, the measures before the cursor (as many as there is room for), what of the measure at the
cursor is written, other voices first, and the grammar standing exactly there. Where measures follow the cursor, the
first of them stand before the rest, between `<after>` and `<before>`, so that the answer can lead into them.

Where a section of a single voice begins and nothing of it is written, the prompt ends before the measure's head, for it
may be a pickup. After a section that ended with a short measure it is the pickup that makes that a full one (so it is
in nineteen of twenty such places in folk tunes). Else the model chooses between a whole measure and a pickup: as long
as the tune's last one, or, at its very beginning, as most are in its metre. A tune that began without one gets none.

The window of earlier measures moves in steps of `HOP` measures, so that typing leaves most of a prompt as it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from notation.score import REGULAR, Event, Measure, TimeSignature, Voice
from notation.site import NOTHING_PENDING, CompletionSite
from notation.tokens import encode
from notation.tokens import vocabulary as v
from notation.tokens.earlier import Earlier, PartStyle, read_earlier
from notation.tokens.echo import VoiceId
from notation.tokens.encode import EncodedMeasure, Segment, SegmentWriter, UnencodableError
from notation.tokens.grammar import Grammar, Repeats, Scope
from notation.tokens.places import Allowed, Forced, Sounding
from notation.tokens.vocabulary import TOKEN_IDS

HOP = 8
N_AFTER = 2
"""How many measures after a gap the model is shown."""
MAX_CHORD = 8
"""Notes of a chord at most: what engravers take."""
KNOWN_STYLE = 12
"""From so many events on, what a part has none of is not suggested."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How a measure begins that other parts have already written.

    Attributes:
        ids: what the model reads: head, the other parts' segments, the part to write.
        length: what its voices last.
        written: the other parts' segments by voice.
        number: within its section.
        barline: the token that the other parts end it with; None if they have not closed it.
    """

    ids: tuple[int, ...]
    length: Fraction | None
    written: Mapping[VoiceId, tuple[int, ...]]
    number: int
    barline: int | None


class LaterOpenings:
    """How the measures after the one at the cursor begin, as far as other parts have closed those before.

    They are encoded when they are asked for: in a large score that is more work than all else of a prompt.
    """

    def __init__(self, site: CompletionSite, counter: encode.SectionCounter, first: Opening) -> None:
        """After a site whose measure begins with `first`; `counter` numbers the next one, and is taken over."""
        self._site = site
        self._counter = counter
        self._signs = (encode.time_id(site.time), *encode.key_ids(site.key))
        self._openings = [first]

    def __repr__(self) -> str:
        return f"LaterOpenings({self._openings!r})"

    def opening(self, later: int) -> Opening | None:
        """Of the measure `later` measures after the first; None where other parts do not say how it begins."""
        while len(self._openings) <= later:
            index = len(self._openings)
            if self._openings[-1].barline is None or not _others(self._site, self._site.measure + index):
                return None
            self._openings.append(_opening(self._site, index, self._counter, self._signs))
        return self._openings[later]


@dataclass(frozen=True)
class Prompt:
    """What the model reads, and what it may answer.

    Attributes:
        ids: the context.
        grammar: standing after `ids`; copy it before use.
        site: where the answer goes.
        start: onset of the first new event in its measure.
        current: the duration in force there.
        n_typed: how many of the last `ids` are what is already written of the voice in this measure.
        fresh: the grammar before those; None where references to whole measures make no sense, or the head is open.
        later: how the measures after the first begin, where other parts are ahead.
    """

    ids: tuple[int, ...]
    grammar: Grammar
    site: CompletionSite
    start: Fraction
    current: v.Duration
    n_typed: int
    fresh: Grammar | None
    later: LaterOpenings

    def open_measure(self, grammar: Grammar, later: int) -> tuple[int, ...]:
        """Bring the grammar into the measure `later` measures after the first, if other parts are there already.

        Returns:
            What the model reads before it goes on; empty if the grammar goes on by itself.
        """
        opening = self.later.opening(later)
        if opening is None:
            return ()
        enter(grammar, self.site, opening)
        return opening.ids


def make_prompt(site: CompletionSite, max_tokens: int) -> Prompt | None:
    """The prompt of a site, at most `max_tokens` long, or None if the music at the cursor has no tokens."""
    parts = site.score.parts
    earlier, style = read_earlier(parts, site.measure, site.part)
    measures, counter = earlier.measures, earlier.counter
    opening = _opening(site, 0, counter, measures[-1].metre_and_key if measures else ())
    writer = SegmentWriter(site.key, None)
    try:
        writer.write(site.before)
        after = _after_ids(site)
    except UnencodableError:
        return None
    preamble = encode.preamble_ids(site.score, encode.guess_genre(site.score))
    heads = _section_heads(site, earlier, opening)
    tail = [] if heads else [*opening.ids, *writer.ids]
    header = encode.header_ids(preamble, _signs_holder(site, measures))
    room = max_tokens - len(header) - len(after) - len(tail)
    if room < 0:
        header, after, tail = header[: max_tokens // 2], [], tail[-(max_tokens // 2) :]
    window = _window(measures, len(parts), site.part, room)
    if window:
        header = encode.header_ids(preamble, window[0])
    context = [token_id for measure in window for token_id in encode.measure_ids(measure, len(parts), site.part)]
    grammar = _grammar(site, earlier, style)
    fresh: Grammar | None = grammar.copy()
    if heads:
        grammar.heads = heads
    elif not _enter_site(grammar, site, opening, writer):
        return None
    if heads or site.whole_part or site.after or site.pending != NOTHING_PENDING:
        fresh = None
    elif fresh is not None:
        enter(fresh, site, opening)
    return Prompt(
        ids=(*header, *after, *context, *tail),
        grammar=grammar,
        site=site,
        start=site.filled,
        current=writer.current,
        n_typed=min(len(writer.ids), len(tail)),
        fresh=fresh,
        later=LaterOpenings(site, counter, opening),
    )


def _signs_holder(site: CompletionSite, measures: Sequence[EncodedMeasure]) -> EncodedMeasure:
    """What a header takes metre and key from where no measure is in the window: the site."""
    return EncodedMeasure((), (), None, (encode.time_id(site.time), *encode.key_ids(site.key)), None)


def _section_heads(site: CompletionSite, earlier: Earlier, opening: Opening) -> tuple[tuple[int, ...], ...]:
    """The heads that the measure at the cursor may have if it may be a pickup; empty if it may not."""
    whole = site.time.duration
    if whole is None or not _begins_section(site):
        return ()
    last = earlier.measures[-1] if earlier.measures else None
    if last is not None and _lacks_pickup(last, site.time):
        return _pickup_heads(opening, whole - (last.length or 0), whole)
    length: Fraction | None
    if last is None:
        length = _usual_pickup(site.time)
    else:
        length = next((one.length for one in reversed(earlier.measures) if _is_pickup(one)), None)
    heads = _pickup_heads(opening, length, whole)
    return (opening.ids, *heads) if heads else ()


def _begins_section(site: CompletionSite) -> bool:
    """Whether nothing stands in a section of a single voice yet."""
    if len(site.score.parts) > 1 or site.whole_part or (site.staff, site.voice) != (1, 1):
        return False
    if site.before or site.after or site.inserted or site.barline_follows or site.pending != NOTHING_PENDING:
        return False
    measures = _part_measures(site)
    if site.ending or site.measure < len(measures) or _repeats(site).ending:
        return False
    barline = measures[-1].barline if measures else None
    return site.repeat_start or not measures or (barline is not None and barline.ends_section)


def _usual_pickup(time: TimeSignature) -> Fraction:
    """How long most first pickups of a metre are: of those of folk tunes six in seven."""
    return Fraction(1, 8) if time.unit >= 8 or time.duration == Fraction(1, 2) else Fraction(1, 4)


def _pickup_heads(opening: Opening, length: Fraction | None, whole: Fraction) -> tuple[tuple[int, ...], ...]:
    """The head of a pickup of some length, made of a whole measure's; none if it has no tokens."""
    token = None if length is None or length >= whole else TOKEN_IDS.get(f"len:{length / v.LENGTH_UNIT}")
    return () if token is None else ((v.PICKUP, *opening.ids[1:], token),)


def _lacks_pickup(last: EncodedMeasure, time: TimeSignature) -> bool:
    """Whether a section ended with a measure that only a pickup makes a full one."""
    is_short = last.length is not None and time.duration is not None and last.length < time.duration
    return is_short and last.metre_and_key[0] == encode.time_id(time) and not _is_pickup(last)


def _is_pickup(measure: EncodedMeasure) -> bool:
    """Whether a section begins with it; a variant ending that is short does not."""
    return measure.head[0] == v.PICKUP and not v.ENDING_IDS.intersection(measure.head)


def _window(measures: Sequence[EncodedMeasure], n_parts: int, part: int, room: int) -> Sequence[EncodedMeasure]:
    """The latest measures that fit in `room` tokens, beginning at a multiple of `HOP`."""
    start = len(measures)
    while start > 0 and (room := room - len(encode.measure_ids(measures[start - 1], n_parts, part))) >= 0:
        start -= 1
    aligned = -(-start // HOP) * HOP
    return measures[aligned if aligned < len(measures) else start :]


def _others(site: CompletionSite, index: int) -> list[tuple[int, Measure]]:
    """What other parts have in a measure of the score."""
    if site.inserted:
        return []
    column = encode.measure_column(site.score.parts, index)
    return [(part, measure) for part, measure in column if part != site.part and measure.duration > 0]


def _own_voices(site: CompletionSite) -> list[tuple[int, Measure]]:
    """The voices of the part itself that stand in the measure before the one being written."""
    measures = site.score.parts[site.part].measures
    if site.inserted or site.whole_part or site.measure >= len(measures):
        return []
    measure = measures[site.measure]
    voices = tuple(voice for voice in measure.voices if (voice.staff, voice.number) < (site.staff, site.voice))
    return [(site.part, replace(measure, voices=voices))] if voices else []


def _opening(site: CompletionSite, later: int, counter: encode.SectionCounter, signs: tuple[int, ...]) -> Opening:
    """How the measure `later` measures after the site's begins. `counter` numbers it."""
    others = _others(site, site.measure + later)
    own = _own_voices(site) if later == 0 else []
    full = site.time.duration
    length = encode.column_length(others) if others else full
    closed = bool(others) and others[0][1].barline is not None
    if not closed and length is not None and full is not None:
        length = full
    shape = replace(_shape(site, later, others), time=site.time, key=site.key)
    following = encode.measure_column(site.score.parts, site.measure + later + 1)
    column = [(part, measure) for part, measure in others if encode.column_length([(part, measure)]) == length]
    dropped: Counter[str] = Counter()
    # The measure as the other parts have it; its head and number come from its shape, its voices from the others.
    head = encode.encode_measure([(-1, replace(shape, voices=_shape_voices(length)))], [], counter, signs, dropped)
    segments = encode.encode_segments([*column, *own], length, encode.first_events(following), dropped)
    ids = list(head.head)
    previous: Segment | None = None
    for segment in segments:
        ids += encode.segment_prefix(segment, previous, len(site.score.parts))
        ids += segment.ids
        previous = segment
    target = Segment(site.part, 1 if site.whole_part else site.staff, 1 if site.whole_part else site.voice, ())
    ids += encode.segment_prefix(target, previous, len(site.score.parts))
    return Opening(
        tuple(ids),
        length,
        {segment.voice: segment.ids for segment in segments},
        int(v.TOKENS[head.head[0]].partition(":")[2]),
        encode.barline_id(others[0][1].barline) if closed else None,
    )


def _shape(site: CompletionSite, later: int, others: Sequence[tuple[int, Measure]]) -> Measure:
    """The measure that says how the one being written begins and ends: another part's, or its own so far."""
    own = site.score.parts[site.part].measures if site.score.parts else ()
    index = site.measure + later
    if others:
        return others[0][1]
    if site.inserted or index >= len(own):
        return Measure(barline=None, repeat_start=site.repeat_start and later == 0)
    return replace(own[index], barline=None)


def _shape_voices(length: Fraction | None) -> tuple[Voice, ...]:
    if not length:
        return ()
    return (Voice((Event(Fraction(0), length),)),)


def _after_ids(site: CompletionSite) -> list[int]:
    """The first measures after the cursor, as an `<after>` block; empty if none follow."""
    part = site.score.parts[site.part] if site.part < len(site.score.parts) else None
    pieces: list[EncodedMeasure] = []
    if site.after:
        start = site.after[0].onset
        events = [replace(event, onset=event.onset - start) for event in site.after]
        writer = SegmentWriter(site.key, None)
        writer.write(events)
        pieces.append(_bare(Segment(site.part, 1, 1, tuple(writer.ids)), v.BARLINE_IDS["|"]))
    first = site.measure if site.inserted else site.measure + 1
    for index in range(first, min(first + N_AFTER, len(part.measures) if part else 0)):
        measure = part.measures[index] if part else Measure()
        column = [(site.part, measure)]
        segments = encode.encode_segments(column, encode.column_length(column), {}, Counter())
        if segments:
            pieces.append(EncodedMeasure((), segments, encode.barline_id(measure.barline), (), None))
    return encode.after_ids(pieces[:N_AFTER], site.part) if pieces else []


def _bare(segment: Segment, barline: int) -> EncodedMeasure:
    return EncodedMeasure((), (segment,), barline, (), None)


def _grammar(site: CompletionSite, earlier: Earlier, style: PartStyle) -> Grammar:
    ties = {}
    if 0 < site.measure <= len(_part_measures(site)):
        for voice in _part_measures(site)[site.measure - 1].voices:
            ties[site.part, voice.staff, voice.number] = _tied(voice.events)
    return Grammar(
        scope=_scope(site, earlier.pickups, style),
        keys={site.part: site.key},
        full=site.time.duration,
        pickup=earlier.counter.pickup,
        ties=ties,
        history=earlier.history,
        repeats=_repeats(site),
    )


def _part_measures(site: CompletionSite) -> tuple[Measure, ...]:
    return site.score.parts[site.part].measures if site.part < len(site.score.parts) else ()


def _scope(site: CompletionSite, pickups: frozenset[Fraction], style: PartStyle) -> Scope:
    """What may be written: chords, grace notes and chord symbols only in a part that has them."""
    chords = style.chords or style.n_events < KNOWN_STYLE
    return Scope(
        n_parts=max(1, len(site.score.parts)),
        parts=(site.part,),
        required=frozenset({site.part}),
        voices=_voices_of(site, style),
        heads=frozenset({"|:", "ending", "len"}) if len(site.score.parts) == 1 else frozenset(),
        breaks=False,
        pickups=pickups,
        allowed=Allowed(style.symbols, style.graces, MAX_CHORD if chords else 1, plain_lengths=True),
    )


def _repeats(site: CompletionSite) -> Repeats:
    """Where the measure being written stands among the repeats of its part."""
    state = Repeats()
    measures = _part_measures(site)
    for measure in measures[: site.measure]:
        if measure.repeat_start or measure.ending or state.closed:
            state = _after_head(state, measure)
        barline = None if measure.barline is REGULAR else encode.barline_id(measure.barline)
        if barline is not None:
            state = state.after_barline(barline)
    if not site.inserted and site.measure < len(measures):
        state = _after_head(state, measures[site.measure])
    elif site.repeat_start:
        state = state.after_head(repeat_start=True, ending=0)
    return state


def _after_head(state: Repeats, measure: Measure) -> Repeats:
    return state.after_head(repeat_start=measure.repeat_start, ending=measure.ending[0] if measure.ending else 0)


def _voices_of(site: CompletionSite, style: PartStyle) -> tuple[tuple[int, int], ...]:
    """The voices that may be written: the one at the cursor, or those that the part has had so far."""
    if not site.whole_part:
        return ((site.staff, site.voice),)
    n_staves = site.score.parts[site.part].staves if site.score.parts else 1
    return tuple(sorted(style.places | {(staff, 1) for staff in range(1, n_staves + 1)}))


def _tied(events: Sequence[Event]) -> tuple[Sounding, ...]:
    """The pitches that the last event ties into the next, low to high."""
    last = next((event for event in reversed(events) if not event.grace), None)
    if last is None:
        return ()
    return tuple(sorted({(note.pitch.position, note.pitch.alter) for note in last.notes if note.tie}))


def enter(grammar: Grammar, site: CompletionSite, opening: Opening) -> None:
    """Bring a grammar to the start of a measure that other parts have written."""
    grammar.closing = opening.barline
    if site.whole_part:
        grammar.enter_part(site.part, number=opening.number, length=opening.length, written=opening.written)
        return
    voice = (site.part, site.staff, site.voice)
    grammar.enter_voice(
        voice,
        number=opening.number,
        length=opening.length,
        landing=grammar.ties.get(voice, ()),
        written=opening.written,
    )


def _enter_site(grammar: Grammar, site: CompletionSite, opening: Opening, writer: SegmentWriter) -> bool:
    """Bring the grammar to the cursor; False if nothing can be written there."""
    if site.whole_part:
        enter(grammar, site, opening)
        grammar.closing = _closing(site, opening)
        return True
    length = _target(site, opening)
    voice = (site.part, site.staff, site.voice)
    landing = _tied(site.before) if site.before else grammar.ties.get(voice, ())
    if landing and site.pending.alter is not None:
        return False  # a note that is tied into takes no accidental of its own
    forced = _forced(site)
    if forced is None or (length is not None and (length < writer.position or _off_grid(length))):
        return False
    if opening.length is not None and writer.position > opening.length:
        return False  # the measure is too long already: whatever closes it closes a wrong one
    grammar.closing = _closing(site, opening)
    grammar.enter_voice(
        voice,
        number=opening.number,
        length=length,
        position=writer.position,
        current=writer.current,
        group=writer.group,
        landing=landing,
        forced=forced,
        written=opening.written,
        ids=writer.ids,
    )
    return True


def _closing(site: CompletionSite, opening: Opening) -> int | None:
    """The barline that the measure at the cursor must end with: its own, or that of other parts."""
    measures = _part_measures(site)
    if not site.barline_follows or site.measure >= len(measures):
        return opening.barline
    return encode.barline_id(measures[site.measure].barline) or opening.barline


def _target(site: CompletionSite, opening: Opening) -> Fraction | None:
    """What the voice must last up to the cursor's gap's end."""
    if opening.length is None or site.remaining is None:
        return None
    if opening.barline is not None and not site.after:
        return opening.length
    return site.filled + site.remaining


def _off_grid(length: Fraction) -> bool:
    return (length / Fraction(1, 128)).denominator != 1


def _forced(site: CompletionSite) -> tuple[Forced, ...] | None:
    """What half-typed text decides, event by event; None if it cannot be said in tokens."""
    pending = site.pending
    if site.remaining == 0:
        # The measure can only be closed, after a tie too; any other beginning of a note has no room.
        is_closed = pending.duration is None and pending.alter is None
        return () if is_closed and (not pending.is_note or _tied(site.before)) else None
    if pending.duration is None:
        if pending.alter is None and not pending.is_note:
            return ()
        return (Forced(None, pending.alter, pending.is_note),)
    ratio = Fraction(*pending.tuplet) if pending.tuplet else None
    duration = (pending.duration, (ratio.numerator, ratio.denominator) if ratio else None)
    if duration not in v.DURATION_IDS:
        return None
    first = Forced(duration, pending.alter, pending.is_note)
    return (first, *(Forced(duration) for _ in range(pending.tuplet_left - 1)))
