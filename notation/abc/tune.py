"""What music does one tune say?

`TuneParser` reads a tune line by line and keeps, per voice, the measures so far and what is half said (a broken rhythm,
a tuplet, a tie, an open chord). The same parser, fed with the text before a cursor, tells what the cursor stands on
(`notation.abc.site`).

Most of a tune is plain notes, so what a written note means is worked out once and remembered until something changes it
(`VoiceState.known`); any other sign goes to the method that reads its kind.

An ABC voice is a `Part`; its overlays (`&`) are the voices of a measure. A barline with nothing before it makes no
measure. Accidentals, those of grace notes too, hold for their step and octave to the end of the measure, and through a
tie. A tie that finds no note of its pitch is no tie.

Source: ABC 2.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

from notation.abc.drafts import MOST_KNOWN, SEALED, Draft, Heard, SealedError, VoiceState, make_draft, tied
from notation.abc.fields import (
    ALTERS,
    Properties,
    default_unit_length,
    read_key,
    read_length,
    read_metre,
    read_properties,
    read_unit_length,
)
from notation.abc.harmony import read_chord_symbol
from notation.abc.lengths import NOTHING, ONE, Length, length_of, plus, ratio, times
from notation.abc.lexer import Line, cut, field_letter, first_sign, read_sign, strip_comment
from notation.abc.lyrics import NEXT_MEASURE, read_lyrics
from notation.abc.macros import expand_macro, macro_pattern, read_macro
from notation.abc.seams import Opening, Seam, make_seam, make_state
from notation.abc.signs import known_pitch, read_bar, read_ending, read_note
from notation.abc.tables import DECORATION_SYMBOLS, DECORATIONS
from notation.diagnostic import Diagnostic, Severity
from notation.makers import make_marks, make_note, make_span
from notation.score import (
    ACCIACCATURA,
    FREE_METRE,
    REGULAR,
    Barline,
    KeySignature,
    Note,
    Part,
    Score,
    TimeSignature,
)
from notation.source import Span

MAX_DIAGNOSTICS = 1000
MAX_EVENTS = 250_000
"""Notes and rests of a tune that are read; a longer one is no score that anybody edits."""
MAX_LINE = 20_000
"""Characters of a line of music that are read."""
MAX_MEASURES_OF_REST = 999
MAX_LAYERS = 8
MAX_MACROS = 99

_LEADS = frozenset(("tuplet", "slur", "grace", "string", "decoration", "symbol"))
"""Kinds of signs that belong to the event that follows them."""
_SYMBOL = re.compile(r"[*|]|[!+]([^!+\s]{1,40})[!+]|\"([^\"]*)\"")
_OLD_CHORD = re.compile(r"(?:(?:\^\^?|__?|=)?[A-Ga-g][,']{0,4}[\d/]{0,6}){2,}")


class Report:
    """Collects diagnostics, up to a bound, and counts the events of a tune."""

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []
        self.n_events = 0

    def add(self, code: str, severity: Severity, start: int, end: int, message: str, section: str) -> None:
        """Note one finding."""
        if len(self.found) < MAX_DIAGNOSTICS:
            paragraph = f"ABC 2.1, {section}" if section else ""
            self.found.append(Diagnostic(code, severity, Span(start, end), message, paragraph))


class TuneParser:
    """Reads one tune, line by line.

    After any number of lines `voice` is the voice being written and `open` names what the last line left unclosed
    (`chord`, `grace`, `string`, `decoration`, `inline`, `comment`, `field`, `text`), empty if nothing. `seams` are the
    places at which reading can be taken up; there are no more of them once `may_resume` is False.
    """

    __slots__ = (
        "_in_macro", "block", "chord", "composer", "continued", "declared", "early_fields", "fields", "grace_open",
        "grace_slash", "has_key", "in_body", "is_in_order", "is_resumed", "kept", "key", "line_goes_on", "macros",
        "may_resume", "n_header_fields", "open", "propagates", "properties", "report", "rhythm", "seams", "symbols",
        "time", "title", "unit", "voice", "voices",
    )  # fmt: skip

    def __init__(self, header: Iterable[Line], report: Report, is_in_order: bool = False, has_key: bool = True) -> None:
        """Begin a tune.

        Args:
            header: the lines of the file header; a key or music in it holds for no tune.
            report: takes the diagnostics.
            is_in_order: whether the `X:` of the tune is its place in the file: then it is not kept.
            has_key: whether a `K:` ends the header; then what is no field before it is text, else it is music.
        """
        self.report = report
        self.has_key = True
        self.is_in_order = is_in_order
        self.in_body = False
        self.open = ""
        self.title = self.composer = self.rhythm = ""
        self.fields: list[tuple[str, str]] = []
        self.early_fields: list[tuple[str, str]] = []
        self.kept = self.fields
        self.key = KeySignature()
        self.time = FREE_METRE
        self.unit: Fraction | None = None
        self.properties = Properties()
        self.symbols: Mapping[str, str] = DECORATION_SYMBOLS
        self.macros: tuple[tuple[str, str], ...] = ()
        self.voices: dict[str, VoiceState] = {}
        self.voice: VoiceState | None = None
        self.declared: Mapping[str, Properties] = {}
        self.block: tuple[str, list[str]] | None = None
        self.continued = ""
        self.line_goes_on = False
        self.chord: Draft | None = None
        self.grace_open = False
        self.grace_slash = False
        self.propagates = "octave"
        self.seams: list[Seam] = []
        self.may_resume = True
        self.is_resumed = False
        self.n_header_fields = 0
        self._in_macro = False
        for line in header:
            if not line.text.startswith("K:"):
                self.feed(line)
        self.has_key = has_key

    # Lines

    def feed(self, line: Line) -> None:
        """Read one line."""
        text = line.text
        self.open = ""
        if self.block is not None:
            self._in_block(text)
        elif text.startswith("%"):
            self.open = "comment"
            if text.startswith("%%"):
                self._directive(text)
        elif letter := field_letter(text, self.in_body):
            self.open = "field"
            self._field_line(letter, line)
        elif text and not text.isspace():
            if not self.in_body and self.has_key:
                message = "this header line is no field and is passed over; begin it with a letter and ':', or '%'"
                self.report.add("text-in-header", Severity.INFORMATION, line.start, line.end, message, "2.2")
                return
            if not self.in_body:
                self.begin_body()
            elif (seam := self.seam(line.start)) is not None:
                self.seams.append(seam)
            self._music(line)

    # Seams

    def seam(self, place: int) -> Seam | None:
        """The seam before a line of music that begins at `place`; None if something is half said there."""
        if (
            not self.may_resume
            or self.voice is None
            or self.line_goes_on
            or self.early_fields
            or self.block is not None
        ):
            return None
        voices = [voice.seam() for voice in self.voices.values()]
        found = tuple(voice for voice in voices if voice is not None)
        if len(found) < len(voices) or self.report.n_events > MAX_EVENTS // 2:
            return None
        state = make_state(found, self.voice.id, self.declared, self.symbols, self.macros, self.propagates)
        return make_seam(place, state)

    def opening(self) -> Opening:
        """What the header says, for `resumed`."""
        return Opening(
            self.title,
            self.composer,
            self.rhythm,
            tuple(self.fields[: self.n_header_fields]),
            self.key,
            self.time,
            self.unit,
            self.properties,
            self.has_key,
            self.is_in_order,
        )

    @classmethod
    def resumed(cls, opening: Opening, seam: Seam, n_measures: Sequence[int], report: Report) -> TuneParser:
        """A parser that has read a tune up to a seam.

        Args:
            opening: what the header says.
            seam: where to go on.
            n_measures: of each voice of the seam, how many measures are before it.
            report: takes the diagnostics of what is read from here on.
        """
        parser = cls((), report, opening.is_in_order, opening.has_key)
        parser.title, parser.composer, parser.rhythm = opening.title, opening.composer, opening.rhythm
        parser.fields = parser.kept = list(opening.fields)
        parser.key, parser.time, parser.unit = opening.key, opening.time, opening.unit
        parser.properties = opening.properties
        state = seam.state
        parser.in_body = parser.is_resumed = True
        parser.declared, parser.symbols = state.declared, state.symbols
        parser.macros, parser.propagates = state.macros, state.propagates
        for voice, count in zip(state.voices, n_measures, strict=True):
            parser.voices[voice.id] = VoiceState(voice.id, voice.key, voice.time, voice.unit)
            parser.voices[voice.id].resume(voice, count)
        parser.voice = parser.voices[state.voice]
        return parser

    def _reach_back(self, start: int) -> None:
        """A sign applies to the event or measure that begins at `start`: between the two there is no seam."""
        while self.seams and self.seams[-1].place > start:
            self.seams.pop()

    # Lines that are no music

    def _in_block(self, text: str) -> None:
        assert self.block is not None
        name, lines = self.block
        if re.match(rf"%%\s*end{name}\b", text):
            self._keep(f"%%begin{name}", "\n".join(lines))
            self.block = None
            self.open = "comment"
        else:
            lines.append(text.removeprefix("%%"))
            self.open = "text"

    def _directive(self, text: str) -> None:
        match = re.match(r"%%\s*([A-Za-z][\w-]*)[ \t]*", text)
        if match is None:
            return
        name, value = match[1], text[match.end() :].rstrip()
        if name.startswith("begin") and len(name) > 5:
            self.block = (name[5:], [])
        elif name == "propagate-accidentals":
            self._propagate(value)
        else:
            self._keep(f"%%{name}", value)

    def _keep(self, name: str, value: str) -> None:
        """Keep a field that says nothing of the notes: of the header, or of the measure that is being written."""
        if not self.in_body:
            self.kept = self.fields
        elif self.voice is None:
            self.kept = self.early_fields
        else:
            self.kept = self.voice.fields_here()
        self.kept.append((name, value))

    def _propagate(self, value: str) -> None:
        if value in ("not", "octave", "pitch"):
            self.propagates = value
            for voice in self.voices.values():
                voice.hear_anew()

    def _field_line(self, letter: str, line: Line) -> None:
        value = strip_comment(line.text[2:])
        if letter == "+":
            self._continue_field(value, line)
            return
        self.continued = letter
        start = line.start + 2
        if self.in_body:
            self._body_field(letter, value, start, line.end)
        else:
            self._header_field(letter, value, start, line.end)

    def _continue_field(self, value: str, line: Line) -> None:
        if self.is_resumed:
            raise SealedError("a field is continued, and what it says may stand before the seam")
        if self.in_body:
            self.may_resume = False
            self.seams.clear()
        if self.continued == "s" and self.in_body:
            self._symbols(value)
        elif self.continued == "w" and self.voice is not None:
            self.voice.verse -= 1
            self._lyrics(value, line.start + 2, line.end)
        elif self.kept and self.kept[-1][0] == self.continued:
            name, text = self.kept[-1]
            self.kept[-1] = (name, f"{text} {value}".strip())

    def _header_field(self, letter: str, value: str, start: int, end: int) -> None:
        if letter == "X":
            if value and not self.is_in_order:
                self._keep("X", value)
        elif letter == "T" and value and not self.title:
            self.title = value
        elif letter == "C" and value and not self.composer:
            self.composer = value
        elif letter == "R" and value and not self.rhythm:
            self.rhythm = value.lower()
        elif letter == "M":
            self.time = self._metre(value, start, end) or self.time
        elif letter == "L":
            self.unit = self._unit(value, start, end) or self.unit
        elif letter == "V":
            self._declare(value)
        elif letter == "K":
            self.key, self.properties = self._key(value, start, end, self.key)
            self.begin_body()
        elif letter == "I" and value.startswith("propagate-accidentals"):
            self._propagate(value.partition(" ")[2].strip())
        else:
            if letter in "Um":
                self._definition(letter, value)
            if value and letter != "w":
                self._keep(letter, value)

    def _definition(self, letter: str, value: str) -> None:
        defined = read_macro(value)
        if defined is None:
            return
        name, meaning = defined
        if letter == "U":
            self.symbols = {**self.symbols, name[:1]: meaning}
        elif letter == "m" and len(self.macros) < MAX_MACROS:
            self.macros = (*(one for one in self.macros if one[0] != name), (name, meaning))

    def _body_field(self, letter: str, value: str, start: int, end: int) -> None:
        if letter == "w":
            self._lyrics(value, start, end)
        elif letter == "s":
            self._symbols(value)
        elif letter == "W":
            self.may_resume = False
            self.kept = self.fields
            self.kept.append(("W", value))
        elif letter == "V":
            self._switch_voice(value)
        elif letter in ("U", "m"):
            self._definition(letter, value)
        elif letter == "I" and value.startswith("propagate-accidentals"):
            self._propagate(value.partition(" ")[2].strip())
        elif letter in ("K", "M", "L"):
            self._change(letter, value, start, end)
        elif value:
            self._keep(letter, value)

    def _change(self, letter: str, value: str, start: int, end: int) -> None:
        """A key, metre or unit length in the tune body: it holds for the voice that is being written."""
        voice = self.writing()
        if letter == "K":
            voice.key, properties = self._key(value, start, end, voice.key)
            voice.apply(properties)
            voice.hear_anew()
        elif letter == "M":
            voice.time = self._metre(value, start, end) or voice.time
        else:
            voice.unit = self._unit(value, start, end) or voice.unit
            voice.hear_anew()

    def _key(self, value: str, start: int, end: int, current: KeySignature) -> tuple[KeySignature, Properties]:
        found = read_key(value)
        if not found.is_known:
            message = f"the key '{value}' is not one of ABC; write a tonic and a mode, such as 'K:Dmix' or 'K:F#m'"
            self.report.add("unknown-key", Severity.WARNING, start, end, message, "3.1.14")
        return (current if found.key is None else found.key), found.properties

    def _metre(self, value: str, start: int, end: int) -> TimeSignature | None:
        time = read_metre(value)
        if time is None:
            message = f"the metre '{value}' is not one of ABC; write 'M:6/8', 'M:(2+3)/8', 'M:C|' or 'M:none'"
            self.report.add("unknown-metre", Severity.WARNING, start, end, message, "3.1.6")
        return time

    def _unit(self, value: str, start: int, end: int) -> Fraction | None:
        unit = read_unit_length(value)
        if unit is None:
            message = f"the unit note length '{value}' is not a fraction of a whole note; write 'L:1/8'"
            self.report.add("unknown-length", Severity.WARNING, start, end, message, "3.1.7")
        return unit

    # Voices

    def begin_body(self) -> None:
        """The header is over: `K:` was read, or music begins without one."""
        self.in_body = True
        self.n_header_fields = len(self.fields)
        if self.unit is None:
            self.unit = default_unit_length(self.time)
        for name in self.declared:
            self._voice(name)
        if self.voices:
            self.voice = next(iter(self.voices.values()))

    def _declare(self, value: str) -> str:
        name, _, rest = value.partition(" ") if " " in value else value.partition("\t")
        if name and name != "*":
            properties = read_properties(rest)
            if name not in self.declared:
                self.declared = {**self.declared, name: properties}
            if name in self.voices:
                self.voices[name].apply(properties)
        return name

    def _voice(self, name: str) -> VoiceState:
        """The voice of a name, made if it is new."""
        state = self.voices.get(name)
        if state is None:
            assert self.unit is not None
            state = VoiceState(name, self.key, self.time, self.unit)
            state.apply(self.properties)
            if name in self.declared:
                state.apply(self.declared[name])
            self.voices[name] = state
        return state

    def writing(self) -> VoiceState:
        """The voice that is being written; the first one where none is named yet."""
        if self.voice is None:
            self.voice = self._voice("1")
        if self.early_fields:
            self.voice.fields_here().extend(self.early_fields)
            self.early_fields = []
        return self.voice

    def _switch_voice(self, value: str) -> None:
        name = self._declare(value)
        if name and name != "*":
            self.voice = self._voice(name)

    # Music

    def _music(self, line: Line) -> None:
        """Read a line of music."""
        if not self.line_goes_on:
            for voice in self.voices.values():
                voice.begin_line()
        self.writing()
        if self.report.n_events > MAX_EVENTS or len(line.text) > MAX_LINE:
            self._too_much(line)
        if self.report.n_events > MAX_EVENTS:
            return
        self._scan(line.text[:MAX_LINE], line.start)
        self.line_goes_on = self.open != "comment" and line.text.rstrip().endswith("\\")
        if self.chord is not None or self.grace_open:
            self.open = "chord" if self.chord is not None else "grace"
            self._close_open(line.end)

    def _scan(self, text: str, offset: int) -> None:
        """Read signs that follow one another from an offset on."""
        if self.macros:
            self._scan_with_macros(text, offset)
            return
        voice = self.writing()
        sign = ""
        start = offset
        for sign in cut(text):
            end = start + len(sign)
            heard = voice.known.get(sign)
            if heard is not None:
                self._note(heard, start, end)
            elif sign != " ":
                self._sign(sign, start, end)
                voice = self.voice or voice
            start = end
        self._leave(sign)

    def _scan_with_macros(self, text: str, offset: int) -> None:
        """Read music in which macros stand for other music; what they say has the place of the macro."""
        pattern = macro_pattern(self.macros)
        place = 0
        while place < len(text):
            found = pattern.match(text, place)
            if found is not None and self.report.n_events <= MAX_EVENTS:
                self._in_macro = True
                sign = ""
                for sign in cut(expand_macro(self.macros, found)):
                    self._sign(sign, place + offset, found.end() + offset)
                self._leave(sign)
                self._in_macro = False
                place = found.end()
            elif found is None:
                sign = first_sign(text, place)
                end = place + len(sign)
                self._sign(sign, place + offset, end + offset)
                if end == len(text):
                    self._leave(sign)
                place = end
            else:
                return

    def _leave(self, last: str) -> None:
        """The last sign of a text may begin a decoration."""
        if last == "!":
            self.open = "decoration"

    def _sign(self, sign: str, start: int, end: int) -> None:
        match = read_sign(sign)
        kind = match.lastgroup or ""
        if kind in _LEADS:
            self._lead(start)
        handler = _HANDLERS.get(kind)
        if handler is not None:
            handler(self, match, start, end)

    def _lead(self, start: int) -> None:
        """Note where the signs before the next event begin: its measure may begin with them."""
        voice = self.voice or self.writing()
        if voice.lead is None and self.chord is None and not self.grace_open:
            voice.lead = start

    def _too_much(self, line: Line) -> None:
        message = (
            f"the tune has more than {MAX_EVENTS} notes, or this line more than {MAX_LINE} characters: "
            "what follows is not read; split it"
        )
        self.report.add("too-much-music", Severity.WARNING, line.start, line.end, message, "")

    def _close_open(self, end: int) -> None:
        """A chord or grace group ends at the line end at the latest."""
        if self.chord is not None:
            message = "the chord is not closed; write ']' after its last note"
            self.report.add("unclosed-chord", Severity.ERROR, self.chord.span.start, end, message, "4.17")
            self._add_chord(ONE, end)
        if self.grace_open:
            message = "the grace notes are not closed; write '}' after the last of them"
            self.report.add("unclosed-grace", Severity.ERROR, end, end, message, "4.12")
            self.grace_open = False

    def _note_sign(self, match: re.Match[str], start: int, end: int) -> None:
        self._note(self._hear(match[0], start, end), start, end)

    def _note(self, heard: Heard, start: int, end: int) -> None:
        pitch, accidental, length, factor = heard
        span = make_span(start, end)
        note = make_note(pitch, False, accidental, span)
        chord = self.chord
        if chord is None:
            self._add(make_draft(length, (note,), span), start, end)
            return
        if not chord.notes:
            chord.duration = factor
        chord.notes = (*chord.notes, note)

    def _hear(self, text: str, start: int, end: int) -> Heard:
        """What a note means where it stands."""
        voice = self.writing()
        accidental, step, octave, position, length = read_note(text)
        octave += voice.octave
        position += 7 * voice.octave
        place = position if self.propagates == "octave" else position % 7
        if accidental:
            alter = ALTERS.get(accidental)
            if alter is None:
                alter = self._microtone(accidental, start, end)
            if self.propagates != "not":
                voice.accidentals[place] = alter
                voice.hear_anew()
        elif position in voice.ties:
            alter = voice.ties[position]
        else:
            alter = voice.accidentals.get(place)
            if alter is None:
                alter = voice.key.alter_of(step)
        factor = self._length(length, start, end)
        heard = known_pitch(step, octave, alter), bool(accidental), times(factor, length_of(voice.unit)), factor
        if not accidental and read_length(length) and len(voice.known) < MOST_KNOWN:
            voice.known[text] = heard
        return heard

    def _microtone(self, accidental: str, start: int, end: int) -> int:
        message = f"the microtone '{accidental}' is read as the nearest semitone; write '^', '_' or '=' to choose one"
        self.report.add("microtone", Severity.INFORMATION, start, end, message, "4.2")
        sign = 1 if accidental[0] == "^" else -1
        size = read_length(accidental.lstrip("^_"))
        return sign * min(2, int(size + Fraction(1, 2)))

    def _length(self, text: str, start: int, end: int) -> Length:
        """The factor that a written length puts on the unit."""
        length = read_length(text)
        if not length:
            message = f"the length '{text}' is nothing; write a number above 0, such as '2' or '/2'"
            self.report.add("invalid-length", Severity.ERROR, start, end, message, "4.3")
            return ONE
        return length_of(length)

    def _add(self, draft: Draft, start: int, end: int) -> None:
        """Put an event into the measure that is being written, with all that was to stand on it."""
        voice = self.voice or self.writing()
        events = voice.events
        if events is None:
            events = voice.begin(start if voice.lead is None else voice.lead)
        events.append(draft)
        assert voice.measure is not None
        voice.measure.end = end
        voice.lead = None
        self.report.n_events += 1
        if self.grace_open:
            draft.grace = True
            draft.duration = NOTHING
            if self.grace_slash:
                draft.decorate(ACCIACCATURA)
                self.grace_slash = False
            return
        voice.written = draft.duration
        if voice.broken is not None:
            draft.duration = times(draft.duration, voice.broken)
            voice.broken = None
        if voice.tuplet_left:
            self._add_to_tuplet(draft)
        if voice.ties:
            voice.ties = {}
            voice.hear_anew()
        if voice.is_marked:
            draft.chord_symbol = voice.chord_symbol
            decorations, annotations = tuple(voice.decorations), tuple(voice.annotations)
            draft.marks = make_marks(decorations, annotations, voice.slur_starts, draft.marks.slur_ends)
            voice.slur_starts = 0
            voice.clear_marks()
        voice.last = draft
        if draft.notes:
            voice.line.append(draft)

    def _add_to_tuplet(self, draft: Draft) -> None:
        voice = self.writing()
        assert voice.tuplet is not None
        actual, normal = voice.tuplet
        draft.tuplet = voice.tuplet
        draft.duration = times(draft.duration, ratio(normal, actual))
        voice.tuplet_left -= 1
        voice.tuplet_events.append(draft)

    def _rest(self, match: re.Match[str], start: int, end: int) -> None:
        kind, length = match.group("rest_kind", "rest_length")
        if self.chord is not None or self.grace_open:
            return
        factor = self._length(length, start, end)
        if kind in "zx":
            draft = make_draft(times(factor, length_of(self.writing().unit)), (), make_span(start, end))
            draft.hidden = kind == "x"
            self._add(draft, start, end)
            return
        self._measures_of_rest(min(int(factor.fraction) or 1, MAX_MEASURES_OF_REST), kind == "X", start, end)

    def _measures_of_rest(self, count: int, hidden: bool, start: int, end: int) -> None:
        voice = self.writing()
        for number in range(count):
            if number:
                self._close_measure(REGULAR, end)
            draft = make_draft(ONE, (), make_span(start, end))
            draft.hidden = hidden
            self._add(draft, start, end)
            filled = NOTHING
            for one in voice.current()[:-1]:
                filled = plus(filled, one.duration)
            draft.whole_measure = len(voice.current()) == 1  # behind others it is as long as what is left
            left = (voice.time.duration or ONE.fraction) - filled.fraction
            draft.duration = length_of(left) if left > 0 else ONE
            draft.tuplet = None

    def _broken(self, match: re.Match[str], start: int, end: int) -> None:
        voice = self.writing()
        events = voice.current()
        last = voice.last
        if last is None or not events or events[-1] is not last or last.whole_measure or self.chord is not None:
            self._misplaced(
                match[0], start, end, "broken rhythm", "stands between two notes of a measure, as in 'A>B'", "4.4"
            )
            return
        divisor = 2 ** len(match[0])
        first, second = ratio(2 * divisor - 1, divisor), ratio(1, divisor)
        if match[0][0] == "<":
            first, second = second, first
        last.duration = times(last.duration, first)
        voice.broken = second

    def _misplaced(self, sign: str, start: int, end: int, what: str, way_out: str, section: str) -> None:
        message = f"'{sign}' ({what}) has nothing to apply to; it {way_out}"
        self.report.add("misplaced-sign", Severity.WARNING, start, end, message, section)

    def _chord(self, match: re.Match[str], start: int, end: int) -> None:
        if self.chord is not None:
            self._unknown(match, start, end)
            return
        self.chord = make_draft(ONE, (), make_span(start, end))

    def _chord_end(self, match: re.Match[str], start: int, end: int) -> None:
        if self.chord is None:
            self._unknown(match, start, end)
            return
        self._add_chord(self._length(match["chord_length"], start, end), end)

    def _add_chord(self, factor: Length, end: int) -> None:
        draft = self.chord
        assert draft is not None
        self.chord = None
        if not draft.notes:
            return
        start = draft.span.start
        draft.span = make_span(start, end)
        draft.duration = times(times(draft.duration, factor), length_of(self.writing().unit))
        draft.notes = tuple(sorted(draft.notes, key=_note_order))
        self._add(draft, start, end)
        if not draft.grace:
            self._hold(draft)

    def _tie(self, match: re.Match[str], start: int, end: int) -> None:
        voice = self.writing()
        if self.chord is not None and self.chord.notes:
            self.chord.notes = (*self.chord.notes[:-1], tied(self.chord.notes[-1]))
            return
        last = voice.last
        if self.grace_open:
            return
        if last is None or not last.notes:
            self._misplaced(match[0], start, end, "tie", "stands after the note that it holds, as in 'A-A'", "4.11")
            return
        if voice.current()[-1:] != [last]:
            self.may_resume = False
        self._reach_back(last.span.start)
        last.tie(end)
        self._hold(last)

    def _hold(self, draft: Draft) -> None:
        """The tied notes of an event sound on in the next one."""
        ties = {note.pitch.position: note.pitch.alter for note in draft.notes if note.tie}
        if ties:
            voice = self.writing()
            voice.ties = ties
            voice.has_ties = True
            voice.hear_anew()

    def _tuplet(self, match: re.Match[str], start: int, end: int) -> None:
        voice = self.writing()
        p, q, r = (int(number) if number else 0 for number in match.group("p", "q", "r"))
        compound = bool(voice.time.beats) and sum(voice.time.beats) % 3 == 0 and voice.time.unit >= 8
        usual = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}.get(p, 3 if compound else 2)
        if voice.tuplet_left:
            self._unfinished_tuplet(start)
        if p < 2 and not q:
            self._unknown(match, start, end)
            return
        voice.tuplet = (p, q or usual)
        voice.tuplet_left = r or p
        voice.tuplet_events = []

    def _unfinished_tuplet(self, offset: int) -> None:
        voice = self.writing()
        message = f"the tuplet lacks {voice.tuplet_left} of its notes; write them, or give their number as in '(3:2:2'"
        self.report.add("unfinished-tuplet", Severity.WARNING, offset, offset + 1, message, "4.13")
        voice.tuplet_left = 0

    def _slur(self, match: re.Match[str], start: int, end: int) -> None:
        voice = self.writing()
        voice.slur_starts += 1
        voice.is_marked = True

    def _slur_end(self, match: re.Match[str], start: int, end: int) -> None:
        voice = self.writing()
        if self.chord is not None:
            self.chord.end_slur()
        elif voice.last is not None:
            self._reach_back(voice.last.span.start)
            voice.last.end_slur()

    def _grace(self, match: re.Match[str], start: int, end: int) -> None:
        self.grace_open = True
        self.grace_slash = match[0].endswith("/")

    def _grace_end(self, match: re.Match[str], start: int, end: int) -> None:
        if not self.grace_open:
            self._unknown(match, start, end)
        self.grace_open = False

    def _string(self, match: re.Match[str], start: int, end: int) -> None:
        self._quoted(match["text"])

    def _quoted(self, text: str) -> None:
        voice = self.writing()
        symbol = read_chord_symbol(text) if text[:1] not in "^_<>@" else None
        if symbol is not None:
            voice.chord_symbol = symbol
        elif text:
            voice.annotations.append(text)
        voice.is_marked = True

    def _decoration(self, match: re.Match[str], start: int, end: int) -> None:
        old = match["plus_name"]
        if old and old not in DECORATIONS and _OLD_CHORD.fullmatch(old) and self.chord is None:
            self._old_chord(old, start, end)
        else:
            self._decorate(match["name"] or old)

    def _old_chord(self, notes: str, start: int, end: int) -> None:
        """A chord between plus signs, as in ABC 1."""
        self.chord = make_draft(ONE, (), make_span(start, end))
        place = start + 1
        for note in cut(notes):
            self._sign(note, *((start, end) if self._in_macro else (place, place + len(note))))
            place += len(note)
        self._add_chord(ONE, end)

    def _decorate(self, name: str) -> None:
        if not self.grace_open:
            voice = self.writing()
            voice.decorations.append(name)
            voice.is_marked = True

    def _symbol(self, match: re.Match[str], start: int, end: int) -> None:
        meaning = self.symbols.get(match[0])
        if meaning is None:
            self._unknown(match, start, end)
        elif len(meaning) > 2 and meaning[0] == meaning[-1] == '"':
            self._quoted(meaning[1:-1])
        elif (name := meaning.strip("!+")) and name not in ("nil", "none"):
            self._decorate(name)

    def _accidental_only(self, match: re.Match[str], start: int, end: int) -> None:
        message = f"the accidental '{match[0]}' has no note; write it directly before one, as in '{match[0]}A'"
        self.report.add("accidental-without-note", Severity.ERROR, start, end, message, "4.2")

    def _unclosed(self, match: re.Match[str], start: int, end: int) -> None:
        if match[0] == "!":
            return  # it is nothing but at the end of a line
        what, sign, section = {
            "open_inline": ("inline", "]", "3.2"),
            "open_string": ("string", '"', "4.18"),
            "open_decoration": ("decoration", "!", "4.14"),
        }[match.lastgroup or ""]
        self.open = what
        message = f"the {what} '{match[0][:20]}' is not closed; write '{sign}' at its end"
        self.report.add(f"unclosed-{what}", Severity.ERROR, start, end, message, section)

    def _comment(self, match: re.Match[str], start: int, end: int) -> None:
        self.open = "comment"

    def _unknown(self, match: re.Match[str], start: int, end: int) -> None:
        found = self.report.found
        if found and found[-1].code == "unknown-characters" and found[-1].span.end == start:
            start = found.pop().span.start
        message = "this is no sign of ABC music and is passed over; write it as a comment after '%' or an annotation"
        self.report.add("unknown-characters", Severity.WARNING, start, end, message, "4")

    def _inline(self, match: re.Match[str], start: int, end: int) -> None:
        letter, value = match.group("field", "value")
        if letter == "w":
            return
        if not self._in_macro:
            start, end = start + match.start("value"), start + match.end("value")
        self._body_field(letter, value.strip(), start, end)

    def _overlay(self, match: re.Match[str], start: int, end: int) -> None:
        voice = self.writing()
        back = match[0].count("&")
        if match[0].startswith("("):
            voice.overlay_start = voice.index
            return
        if match[0].endswith(")"):
            voice.overlay_start = None
            self._leave_overlay()
            return
        if not voice.measures:
            return
        is_inside = voice.index < len(voice.measures)
        voice.overlay_end = max(voice.overlay_end, voice.index if is_inside else voice.index - 1)
        if voice.overlay_start is not None:
            voice.go_to(min(voice.index, voice.overlay_start))
        else:
            voice.go_to(max(0, voice.index - (back - 1 if is_inside else back)))
        if voice.index < len(voice.measures):
            measure = voice.measures[voice.index]
            if measure.layers is SEALED:
                raise SealedError("music before the seam is overlaid")
            self._reach_back(measure.start)
        voice.accidentals = {}
        voice.enter_layer(min(voice.layer + 1, MAX_LAYERS - 1))
        voice.last = None

    # Barlines

    def _bar(self, match: re.Match[str], start: int, end: int) -> None:
        if self.chord is not None:
            self._close_open(start)
        voice = self.writing()
        barline, begins_repeat, numbers = read_bar(match[0])
        if voice.tuplet_left and not voice.tuplet_events:
            voice.tuplet_left = 0
        self._close_measure(barline, end if self._in_macro else end - len(numbers))
        if begins_repeat:
            voice.repeat_start = True
        if numbers:
            self._begin_ending(numbers)

    def _close_measure(self, barline: Barline, end: int) -> None:
        voice = self.writing()
        if voice.is_marked:
            voice.clear_marks()
        voice.lead = None
        if voice.accidentals:
            voice.accidentals = {}
            voice.hear_anew()
        if voice.index < len(voice.measures):
            measure = voice.measures[voice.index]
            voice.go_to(voice.index + 1)
        elif voice.index:
            measure = voice.measures[voice.index - 1]
        else:
            return
        old = measure.barline
        if old is None:
            measure.barline = barline
        else:
            style = old.style if barline.style == "regular" else barline.style
            measure.barline = Barline(style, old.repeat_end or barline.repeat_end)
        measure.end = max(measure.end, end)
        voice.line.append(None)
        if voice.overlay_start is None:
            self._leave_overlay()

    def _leave_overlay(self) -> None:
        """Behind the measures that are overlaid, the first layer goes on."""
        voice = self.writing()
        if voice.layer and voice.index > voice.overlay_end:
            voice.enter_layer(0)
            voice.go_to(len(voice.measures))

    def _ending(self, match: re.Match[str], start: int, end: int) -> None:
        self._begin_ending(match["numbers"] or match["label"] or "")

    def _begin_ending(self, numbers: str) -> None:
        voice = self.writing()
        ending = read_ending(numbers)
        if voice.index < len(voice.measures):
            voice.measures[voice.index].ending = ending
        else:
            voice.ending = ending

    # Lyrics

    def _lyrics(self, text: str, start: int, end: int) -> None:
        voice = self.writing()
        verse = voice.verse
        voice.verse += 1
        line = voice.line
        place = 0
        lost = 0
        for syllable in read_lyrics(text):
            if syllable == NEXT_MEASURE:
                while place < len(line) and line[place] is not None:
                    place += 1
                place += 1
                continue
            while place < len(line) and line[place] is None:
                place += 1
            if place >= len(line):
                lost += bool(syllable)
                continue
            draft = line[place]
            assert draft is not None
            draft.sing(verse, syllable)
            place += 1
        if lost:
            message = f"{lost} syllables have no note; give each a note in the line above, or take them out"
            self.report.add("too-many-syllables", Severity.INFORMATION, start, end, message, "5.1")

    def _symbols(self, text: str) -> None:
        """A line of decorations, chord symbols and annotations, one a note, as in lyrics."""
        line = self.writing().line
        place = 0
        for match in _SYMBOL.finditer(text):
            if match[0] == NEXT_MEASURE:
                while place < len(line) and line[place] is not None:
                    place += 1
                place += 1
                continue
            while place < len(line) and line[place] is None:
                place += 1
            if place >= len(line):
                return
            draft = line[place]
            assert draft is not None
            place += 1
            if match[1]:
                draft.decorate(match[1])
            elif match[2]:
                self._stand_on(draft, match[2])

    def _stand_on(self, draft: Draft, text: str) -> None:
        symbol = read_chord_symbol(text) if text[0] not in "^_<>@" else None
        if symbol is not None:
            draft.chord_symbol = symbol
        else:
            draft.annotate(text)

    # The end

    def finish(self, span: Span) -> Score:
        """The score of all that was read."""
        if not self.in_body:
            self.begin_body()
        self.writing()
        parts = tuple(self._part(voice) for voice in self.voices.values())
        return Score(parts, self.title, self.composer, self.rhythm, tuple(self.fields), span)

    def _part(self, voice: VoiceState) -> Part:
        return Part(voice.id, voice.freeze(), voice.name, last_fields=tuple(voice.fields))


def _note_order(note: Note) -> tuple[int, int]:
    return note.pitch.position, note.pitch.alter


_HANDLERS: dict[str, Callable[[TuneParser, re.Match[str], int, int], None]] = {
    "note": TuneParser._note_sign,
    "bar": TuneParser._bar,
    "rest": TuneParser._rest,
    "broken": TuneParser._broken,
    "inline": TuneParser._inline,
    "open_inline": TuneParser._unclosed,
    "ending": TuneParser._ending,
    "chord": TuneParser._chord,
    "chord_end": TuneParser._chord_end,
    "overlay": TuneParser._overlay,
    "tuplet": TuneParser._tuplet,
    "slur": TuneParser._slur,
    "slur_end": TuneParser._slur_end,
    "tie": TuneParser._tie,
    "grace": TuneParser._grace,
    "grace_end": TuneParser._grace_end,
    "string": TuneParser._string,
    "open_string": TuneParser._unclosed,
    "decoration": TuneParser._decoration,
    "open_decoration": TuneParser._unclosed,
    "accidental_only": TuneParser._accidental_only,
    "symbol": TuneParser._symbol,
    "comment": TuneParser._comment,
    "other": TuneParser._unknown,
}
"""What reads a sign of a kind, which stands between two offsets. Other kinds say nothing."""
