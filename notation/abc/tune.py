"""What music does one tune say?

`TuneParser` reads a tune line by line and keeps, per voice, the measures so far and what is half said (a broken rhythm,
a tuplet, a tie, an open chord). The same parser, fed with the text before a cursor, tells what the cursor stands on
(`notation.abc.site`).

An ABC voice is a `Part`; its overlays (`&`) are the voices of a measure. A barline with nothing before it makes no
measure. Accidentals, those of grace notes too, hold for their step and octave to the end of the measure, and through a
tie. A tie that finds no note of its pitch is no tie.

Source: ABC 2.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from notation.abc.drafts import SEALED, Draft, SealedError, VoiceState, freeze_measures, scale_length
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
from notation.abc.lexer import TOKEN, Line, field_letter, strip_comment, tokens
from notation.abc.lyrics import NEXT_MEASURE, read_lyrics
from notation.abc.macros import expand_macro, macro_pattern, read_macro
from notation.abc.seams import Opening, Seam, State
from notation.abc.signs import known_pitch, read_barline, read_ending, read_note
from notation.abc.tables import DECORATION_SYMBOLS, DECORATIONS
from notation.diagnostic import Diagnostic, Severity
from notation.score import ACCIACCATURA, FREE_METRE, Barline, KeySignature, Part, Pitch, Score, TimeSignature
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
_ONE = Fraction(1)
_ZERO = Fraction(0)


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
        self._offset = 0
        self._fixed: tuple[int, int] | None = None
        self._handlers = {
            "note": self._note,
            "bar": self._bar,
            "rest": self._rest,
            "broken": self._broken,
            "inline": self._inline,
            "open_inline": self._unclosed,
            "ending": self._ending,
            "chord": self._chord,
            "chord_end": self._chord_end,
            "overlay": self._overlay,
            "tuplet": self._tuplet,
            "slur": self._slur,
            "slur_end": self._slur_end,
            "tie": self._tie,
            "grace": self._grace,
            "grace_end": self._grace_end,
            "string": self._string,
            "open_string": self._unclosed,
            "decoration": self._decoration,
            "open_decoration": self._unclosed,
            "accidental_only": self._accidental_only,
            "symbol": self._symbol,
            "comment": self._comment,
            "other": self._other,
        }
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
        state = State(found, self.voice.id, self.declared, self.symbols, self.macros, self.propagates)
        return Seam(place, state)

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
            voice.alters = {}
            voice.apply(properties)
        elif letter == "M":
            voice.time = self._metre(value, start, end) or voice.time
        else:
            voice.unit = self._unit(value, start, end) or voice.unit
            voice.lengths = {}

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
        self._offset = offset
        if self.macros:
            self._scan_with_macros(text, offset)
            return
        handlers = self._handlers
        note = self._note
        for match in tokens(text):
            kind = match.lastgroup
            if kind == "note":
                note(match)
            elif kind in handlers:
                if kind in _LEADS:
                    self._lead(match)
                handlers[kind](match)

    def _scan_with_macros(self, text: str, offset: int) -> None:
        """Read music in which macros stand for other music; what they say has the place of the macro."""
        pattern = macro_pattern(self.macros)
        place = 0
        while place < len(text):
            found = pattern.match(text, place)
            match = TOKEN.match(text, place) if found is None else None
            if found is not None and self.report.n_events <= MAX_EVENTS:
                self._fixed = found.start() + offset, found.end() + offset
                expanded = expand_macro(self.macros, found)
                for match in tokens(expanded):
                    self._token(match)
                self._fixed = None
                place = found.end()
            elif match is not None:
                self._token(match)
                place = match.end()
            else:
                return

    def _token(self, match: re.Match[str]) -> None:
        kind = match.lastgroup or ""
        if kind in self._handlers:
            if kind in _LEADS:
                self._lead(match)
            self._handlers[kind](match)

    def _place(self, match: re.Match[str], group: int | str = 0) -> tuple[int, int]:
        """Where a token stands in the document; in the text of a macro, where the macro stands."""
        if self._fixed is not None:
            return self._fixed
        return match.start(group) + self._offset, match.end(group) + self._offset

    def _lead(self, match: re.Match[str]) -> None:
        """Note where the signs before the next event begin: its measure may begin with them."""
        voice = self.writing()
        if voice.lead is None and self.chord is None and not self.grace_open:
            voice.lead = self._place(match)[0]

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
            self.report.add("unclosed-chord", Severity.ERROR, self.chord.start, end, message, "4.17")
            self._add_chord(_ONE, end)
        if self.grace_open:
            message = "the grace notes are not closed; write '}' after the last of them"
            self.report.add("unclosed-grace", Severity.ERROR, end, end, message, "4.12")
            self.grace_open = False

    def _note(self, match: re.Match[str]) -> None:
        voice = self.voice or self.writing()
        accidental, step, octave, position, length = read_note(match[0])
        if voice.octave:
            octave += voice.octave
            position += 7 * voice.octave
        if self._fixed is None:
            start, end = match.span()
            start += self._offset
            end += self._offset
        else:
            start, end = self._fixed
        if accidental:
            alter = ALTERS.get(accidental)
            if alter is None:
                alter = self._microtone(accidental, start, end)
            if self.propagates != "not":
                voice.accidentals[position if self.propagates == "octave" else position % 7] = alter
        elif position in voice.ties:
            alter = voice.ties[position]
        else:
            alter = voice.accidentals.get(position if self.propagates == "octave" else position % 7)
            if alter is None:
                alter = voice.alters.get(step)
            if alter is None:
                alter = voice.alters[step] = voice.key.alter_of(step)
        note = (known_pitch(step, octave, alter), accidental is not None, start, end)
        chord = self.chord
        if chord is not None:
            factor = _ONE if length is None else self._length(length, start, end)
            if not chord.notes:
                chord.base = factor
            chord.notes.append(note)
            chord.ties.append(False)
            return
        duration = voice.lengths.get(length)
        if duration is None:
            duration = self._duration(length, start, end)
        draft = Draft(duration, start, end)
        draft.notes.append(note)
        draft.ties.append(False)
        self._add(draft)

    def _duration(self, length: str | None, start: int, end: int) -> Fraction:
        """How long a note or rest of a written length lasts."""
        voice = self.writing()
        duration = scale_length(_ONE if length is None else self._length(length, start, end), voice.unit)
        if length is None or read_length(length):
            voice.lengths[length] = duration
        return duration

    def _microtone(self, accidental: str, start: int, end: int) -> int:
        message = f"the microtone '{accidental}' is read as the nearest semitone; write '^', '_' or '=' to choose one"
        self.report.add("microtone", Severity.INFORMATION, start, end, message, "4.2")
        sign = 1 if accidental[0] == "^" else -1
        size = read_length(accidental.lstrip("^_"))
        return sign * min(2, int(size + Fraction(1, 2)))

    def _length(self, text: str, start: int, end: int) -> Fraction:
        length = read_length(text)
        if not length:
            message = f"the length '{text}' is nothing; write a number above 0, such as '2' or '/2'"
            self.report.add("invalid-length", Severity.ERROR, start, end, message, "4.3")
            return _ONE
        return length

    def _add(self, draft: Draft) -> None:
        """Put an event into the measure that is being written, with all that was to stand on it."""
        voice = self.voice or self.writing()
        measure = voice.measure(draft.start if voice.lead is None else voice.lead)
        voice.lead = None
        self.report.n_events += 1
        while len(measure.layers) <= voice.layer:
            measure.layers.append([])
        measure.layers[voice.layer].append(draft)
        if draft.end > measure.end:
            measure.end = draft.end
        if self.grace_open:
            draft.grace = True
            if self.grace_slash:
                draft.decorations = (ACCIACCATURA,)
                self.grace_slash = False
            return
        if voice.broken is not None:
            draft.broken = voice.broken
            voice.broken = None
        if voice.tuplet_left:
            draft.tuplet = voice.tuplet
            voice.tuplet_left -= 1
            voice.tuplet_events.append(draft)
        if voice.ties:
            voice.ties = {}
        if voice.chord_symbol is not None or voice.decorations or voice.annotations or voice.slur_starts:
            draft.chord_symbol = voice.chord_symbol
            draft.decorations = tuple(voice.decorations)
            draft.annotations = tuple(voice.annotations)
            draft.slur_starts = voice.slur_starts
            voice.slur_starts = 0
            voice.clear_marks()
        voice.last = draft
        if draft.notes:
            voice.line.append(draft)

    def _rest(self, match: re.Match[str]) -> None:
        kind, length = match.group("rest_kind", "rest_length")
        start, end = self._place(match)
        if self.chord is not None or self.grace_open:
            return
        if kind in "zx":
            draft = Draft(self._duration(length, start, end), start, end)
            draft.hidden = kind == "x"
            self._add(draft)
            return
        factor = _ONE if length is None else self._length(length, start, end)
        self._measures_of_rest(min(int(factor) or 1, MAX_MEASURES_OF_REST), kind == "X", start, end)

    def _measures_of_rest(self, count: int, hidden: bool, start: int, end: int) -> None:
        voice = self.writing()
        for number in range(count):
            if number:
                self._close_measure(Barline(), start, end)
            draft = Draft(_ONE, start, end)
            draft.hidden = hidden
            draft.whole = True
            self._add(draft)
            filled = sum((one.duration for one in voice.current()[:-1]), _ZERO)
            draft.base = max((voice.time.duration or _ONE) - filled, _ZERO) or _ONE
            draft.broken = draft.tuplet = None

    def _broken(self, match: re.Match[str]) -> None:
        voice = self.writing()
        events = voice.current()
        last = voice.last
        if last is None or not events or events[-1] is not last or last.whole or self.chord is not None:
            self._misplaced(match, "broken rhythm", "stands between two notes of a measure, as in 'A>B'", "4.4")
            return
        small = Fraction(1, 2 ** len(match[0]))
        first, second = 2 - small, small
        if match[0][0] == "<":
            first, second = second, first
        last.broken = first if last.broken is None else last.broken * first
        voice.broken = second

    def _misplaced(self, match: re.Match[str], what: str, way_out: str, section: str) -> None:
        start, end = self._place(match)
        message = f"'{match[0]}' ({what}) has nothing to apply to; it {way_out}"
        self.report.add("misplaced-sign", Severity.WARNING, start, end, message, section)

    def _chord(self, match: re.Match[str]) -> None:
        if self.chord is not None:
            self._unknown(match)
            return
        self.chord = Draft(_ONE, *self._place(match))

    def _chord_end(self, match: re.Match[str]) -> None:
        if self.chord is None:
            self._unknown(match)
            return
        length = match["chord_length"]
        start, end = self._place(match)
        self._add_chord(_ONE if length is None else self._length(length, start, end), end)

    def _add_chord(self, factor: Fraction, end: int) -> None:
        draft = self.chord
        assert draft is not None
        self.chord = None
        if not draft.notes:
            return
        draft.end = end
        draft.base = scale_length(draft.base * factor, self.writing().unit)
        if len(draft.notes) > 1:
            pairs = sorted(zip(draft.notes, draft.ties, strict=True), key=_note_order)
            draft.notes = [note for note, _ in pairs]
            draft.ties = [tie for _, tie in pairs]
        ties = {note[0].position: note[0].alter for note, tie in zip(draft.notes, draft.ties, strict=True) if tie}
        self._add(draft)
        if ties and not draft.grace:
            self.writing().ties = ties

    def _tie(self, match: re.Match[str]) -> None:
        voice = self.writing()
        if self.chord is not None and self.chord.notes:
            self.chord.ties[-1] = True
            return
        last = voice.last
        if self.grace_open:
            return
        if last is None or not last.notes:
            self._misplaced(match, "tie", "stands after the note that it holds, as in 'A-A'", "4.11")
            return
        if voice.current()[-1:] != [last]:
            self.may_resume = False
        self._reach_back(last.start)
        last.ties = [True] * len(last.notes)
        last.end = max(last.end, self._place(match)[1])
        voice.ties = {note[0].position: note[0].alter for note in last.notes}

    def _tuplet(self, match: re.Match[str]) -> None:
        voice = self.writing()
        p, q, r = (int(number) if number else 0 for number in match.group("p", "q", "r"))
        compound = bool(voice.time.beats) and sum(voice.time.beats) % 3 == 0 and voice.time.unit >= 8
        usual = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}.get(p, 3 if compound else 2)
        if voice.tuplet_left:
            self._unfinished_tuplet(self._place(match)[0])
        if p < 2 and not q:
            self._unknown(match)
            return
        voice.tuplet = (p, q or usual)
        voice.tuplet_left = r or p
        voice.tuplet_events = []

    def _unfinished_tuplet(self, offset: int) -> None:
        voice = self.writing()
        message = f"the tuplet lacks {voice.tuplet_left} of its notes; write them, or give their number as in '(3:2:2'"
        self.report.add("unfinished-tuplet", Severity.WARNING, offset, offset + 1, message, "4.13")
        voice.tuplet_left = 0

    def _slur(self, match: re.Match[str]) -> None:
        self.writing().slur_starts += 1

    def _slur_end(self, match: re.Match[str]) -> None:
        voice = self.writing()
        if self.chord is not None:
            self.chord.slur_ends += 1
        elif voice.last is not None:
            self._reach_back(voice.last.start)
            voice.last.slur_ends += 1

    def _grace(self, match: re.Match[str]) -> None:
        self.grace_open = True
        self.grace_slash = match[0].endswith("/")

    def _grace_end(self, match: re.Match[str]) -> None:
        if not self.grace_open:
            self._unknown(match)
        self.grace_open = False

    def _string(self, match: re.Match[str]) -> None:
        self._quoted(match["text"])

    def _quoted(self, text: str) -> None:
        voice = self.writing()
        symbol = read_chord_symbol(text) if text[:1] not in "^_<>@" else None
        if symbol is not None:
            voice.chord_symbol = symbol
        elif text:
            voice.annotations.append(text)

    def _decoration(self, match: re.Match[str]) -> None:
        old = match["plus_name"]
        if old and old not in DECORATIONS and _OLD_CHORD.fullmatch(old) and self.chord is None:
            self._old_chord(match)
        else:
            self._decorate(match["name"] or old)

    def _old_chord(self, match: re.Match[str]) -> None:
        """A chord between plus signs, as in ABC 1."""
        self.chord = Draft(_ONE, *self._place(match))
        for note in TOKEN.finditer(match.string, match.start("plus_name"), match.end("plus_name")):
            self._note(note)
        self._add_chord(_ONE, self._place(match)[1])

    def _decorate(self, name: str) -> None:
        if not self.grace_open:
            self.writing().decorations.append(name)

    def _symbol(self, match: re.Match[str]) -> None:
        meaning = self.symbols.get(match[0])
        if meaning is None:
            self._unknown(match)
        elif len(meaning) > 2 and meaning[0] == meaning[-1] == '"':
            self._quoted(meaning[1:-1])
        elif (name := meaning.strip("!+")) and name not in ("nil", "none"):
            self._decorate(name)

    def _accidental_only(self, match: re.Match[str]) -> None:
        start, end = self._place(match)
        message = f"the accidental '{match[0]}' has no note; write it directly before one, as in '{match[0]}A'"
        self.report.add("accidental-without-note", Severity.ERROR, start, end, message, "4.2")

    def _unclosed(self, match: re.Match[str]) -> None:
        start, end = self._place(match)
        what, sign, section = {
            "open_inline": ("inline", "]", "3.2"),
            "open_string": ("string", '"', "4.18"),
            "open_decoration": ("decoration", "!", "4.14"),
        }[match.lastgroup or ""]
        self.open = what
        if match[0] == "!":
            return
        message = f"the {what} '{match[0][:20]}' is not closed; write '{sign}' at its end"
        self.report.add(f"unclosed-{what}", Severity.ERROR, start, end, message, section)

    def _comment(self, match: re.Match[str]) -> None:
        self.open = "comment"

    def _unknown(self, match: re.Match[str]) -> None:
        start, end = self._place(match)
        found = self.report.found
        if found and found[-1].code == "unknown-characters" and found[-1].span.end == start:
            start = found.pop().span.start
        message = "this is no sign of ABC music and is passed over; write it as a comment after '%' or an annotation"
        self.report.add("unknown-characters", Severity.WARNING, start, end, message, "4")

    def _inline(self, match: re.Match[str]) -> None:
        letter, value = match.group("field", "value")
        start, end = self._place(match, "value")
        if letter != "w":
            self._body_field(letter, value.strip(), start, end)

    def _overlay(self, match: re.Match[str]) -> None:
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
            voice.index = min(voice.index, voice.overlay_start)
        else:
            voice.index = max(0, voice.index - (back - 1 if is_inside else back))
        if voice.index < len(voice.measures):
            measure = voice.measures[voice.index]
            if measure.layers is SEALED:
                raise SealedError("music before the seam is overlaid")
            self._reach_back(measure.start)
        voice.enter_layer(min(voice.layer + 1, MAX_LAYERS - 1))
        voice.accidentals = {}
        voice.last = None

    # Barlines

    def _bar(self, match: re.Match[str]) -> None:
        if self.chord is not None:
            self._close_open(self._place(match)[0])
        voice = self.writing()
        start, end = self._place(match)
        numbers = match["bar_ending"]
        sign = match[0][: -len(numbers)] if numbers else match[0]
        end -= len(numbers or "") if self._fixed is None else 0
        if voice.tuplet_left and not voice.tuplet_events:
            voice.tuplet_left = 0
        self._close_measure(read_barline(sign), start, end)
        if len(sign) > 1 and sign.endswith(":"):
            voice.repeat_start = True
        if numbers:
            self._begin_ending(numbers)

    def _close_measure(self, barline: Barline, start: int, end: int) -> None:
        voice = self.writing()
        voice.clear_marks()
        voice.lead = None
        voice.accidentals = {}
        if voice.index < len(voice.measures):
            measure = voice.measures[voice.index]
            voice.index += 1
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
            voice.index = len(voice.measures)

    def _ending(self, match: re.Match[str]) -> None:
        self._begin_ending(match["numbers"] or match["label"] or "")

    def _begin_ending(self, numbers: str) -> None:
        voice = self.writing()
        ending = read_ending(numbers)
        if voice.index < len(voice.measures):
            voice.measures[voice.index].ending = ending
        else:
            voice.ending = ending

    def _other(self, match: re.Match[str]) -> None:
        self._unknown(match)

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
            draft.lyrics = (*draft.lyrics[:verse], *[""] * (verse - len(draft.lyrics)), syllable)
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
                draft.decorations = (*draft.decorations, match[1])
            elif match[2]:
                self._stand_on(draft, match[2])

    def _stand_on(self, draft: Draft, text: str) -> None:
        symbol = read_chord_symbol(text) if text[0] not in "^_<>@" else None
        if symbol is not None:
            draft.chord_symbol = symbol
        else:
            draft.annotations = (*draft.annotations, text)

    # The end

    def finish(self, span: Span) -> Score:
        """The score of all that was read."""
        if not self.in_body:
            self.begin_body()
        self.writing()
        parts = tuple(self._part(voice) for voice in self.voices.values())
        return Score(parts, self.title, self.composer, self.rhythm, tuple(self.fields), span)

    def _part(self, voice: VoiceState) -> Part:
        return Part(voice.id, freeze_measures(voice.measures), voice.name, last_fields=tuple(voice.fields))


def _note_order(pair: tuple[tuple[Pitch, bool, int, int], bool]) -> tuple[int, int]:
    return pair[0][0].position, pair[0][0].alter
