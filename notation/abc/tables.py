"""The words of ABC 2.1 that a writer can look up: fields, keys, metres, decorations, directives.

Source: ABC 2.1, sections 3 (fields), 3.1.14 (K:), 4.14 (decorations), 4.6 (clefs) and 11 (directives).
"""

from __future__ import annotations

DECORATION_SYMBOLS = {
    ".": "staccato",
    "~": "roll",
    "H": "fermata",
    "L": "accent",
    "M": "lowermordent",
    "O": "coda",
    "P": "uppermordent",
    "S": "segno",
    "T": "trill",
    "u": "upbow",
    "v": "downbow",
}
"""What the one-letter decorations stand for unless `U:` says otherwise."""

FIELDS = {
    "A": "area, where the tune comes from",
    "B": "book",
    "C": "composer",
    "D": "discography",
    "F": "file URL",
    "G": "group, for indexing",
    "H": "history",
    "I": "instruction to programs",
    "K": "key, ends the header",
    "L": "unit note length",
    "M": "metre",
    "m": "macro",
    "N": "notes about the tune",
    "O": "origin",
    "P": "order of the parts, or the part that begins",
    "Q": "tempo",
    "R": "rhythm, the kind of dance",
    "r": "remark, not printed",
    "S": "source",
    "s": "symbols under the line of music",
    "T": "title",
    "U": "user-defined symbol",
    "V": "voice",
    "W": "words after the tune",
    "w": "words under the line of music",
    "X": "reference number, begins a tune",
    "Z": "who wrote it down",
}

METRES = {
    "4/4": "four quarter notes",
    "C": "common time, 4/4",
    "C|": "cut time, 2/2",
    "3/4": "three quarter notes, as in a waltz",
    "2/4": "two quarter notes, as in a polka",
    "6/8": "two dotted quarters, as in a jig",
    "9/8": "three dotted quarters, as in a slip jig",
    "12/8": "four dotted quarters, as in a slide",
    "3/8": "three eighth notes",
    "2/2": "two half notes",
    "3/2": "three half notes, as in an old hornpipe",
    "6/4": "two dotted halves",
    "5/4": "five quarter notes",
    "7/8": "seven eighth notes",
    "(2+3)/8": "five eighth notes in groups of two and three",
    "none": "free metre, measures of any length",
}

UNIT_LENGTHS = {
    "1/8": "a note without a length is an eighth",
    "1/4": "a note without a length is a quarter",
    "1/16": "a note without a length is a sixteenth",
    "1/2": "a note without a length is a half note",
    "1/32": "a note without a length is a thirty-second",
    "1/1": "a note without a length is a whole note",
}

TEMPI = {
    "1/4=120": "120 quarter notes a minute",
    "3/8=120": "120 dotted quarters a minute",
    "1/2=100": "100 half notes a minute",
    "1/8=180": "180 eighth notes a minute",
    '"Allegro" 1/4=120': "a text and a number",
    '"Andante"': "a text alone",
}

RHYTHMS = {
    "reel": "usually M:4/4 or C|",
    "jig": "usually M:6/8",
    "hornpipe": "usually M:4/4, dotted",
    "slip jig": "usually M:9/8",
    "polka": "usually M:2/4",
    "waltz": "usually M:3/4",
    "march": "usually M:2/4, 4/4 or 6/8",
    "slide": "usually M:12/8",
    "strathspey": "usually M:C",
    "air": "slow, any metre",
    "barndance": "usually M:4/4",
    "mazurka": "usually M:3/4",
    "schottische": "usually M:C",
    "minuet": "usually M:3/4",
    "song": "with words",
}

CLEFS = {
    "treble": "G clef on line 2",
    "bass": "F clef on line 4",
    "alto": "C clef on line 3",
    "tenor": "C clef on line 4",
    "treble-8": "G clef, sounds an octave lower",
    "bass-8": "F clef, sounds an octave lower",
    "perc": "percussion",
    "none": "no clef",
}

VOICE_PARAMETERS = {
    **{f"clef={name}": detail for name, detail in CLEFS.items()},
    'name="': "the name printed before the first line",
    'subname="': "the name printed before the other lines",
    "stem=up": "stems up",
    "stem=down": "stems down",
    "octave=-1": "written an octave lower than typed",
    "transpose=-2": "sounds two semitones lower than written",
}

DECORATIONS = {
    "trill": "trill, also T",
    "trill(": "an extended trill begins",
    "trill)": "an extended trill ends",
    "lowermordent": "lower mordent, also M",
    "uppermordent": "upper mordent, also P",
    "mordent": "same as lowermordent",
    "pralltriller": "same as uppermordent",
    "roll": "Irish roll, also ~",
    "turn": "turn",
    "turnx": "turn with a line through it",
    "invertedturn": "inverted turn",
    "invertedturnx": "inverted turn with a line through it",
    "arpeggio": "arpeggio",
    ">": "accent",
    "accent": "accent, also L",
    "emphasis": "accent",
    "fermata": "fermata, also H",
    "invertedfermata": "fermata upside down",
    "tenuto": "tenuto",
    "0": "fingering 0",
    "1": "fingering 1",
    "2": "fingering 2",
    "3": "fingering 3",
    "4": "fingering 4",
    "5": "fingering 5",
    "+": "left-hand pizzicato",
    "plus": "left-hand pizzicato",
    "snap": "snap pizzicato",
    "slide": "slide up to the note",
    "wedge": "staccatissimo",
    "upbow": "up bow, also u",
    "downbow": "down bow, also v",
    "open": "open string or harmonic",
    "thumb": "thumb position",
    "breath": "breath mark",
    "pppp": "dynamic",
    "ppp": "dynamic",
    "pp": "dynamic",
    "p": "dynamic: soft",
    "mp": "dynamic",
    "mf": "dynamic",
    "f": "dynamic: loud",
    "ff": "dynamic",
    "fff": "dynamic",
    "ffff": "dynamic",
    "sfz": "dynamic: sudden accent",
    "crescendo(": "crescendo begins, also <(",
    "crescendo)": "crescendo ends, also <)",
    "diminuendo(": "diminuendo begins, also >(",
    "diminuendo)": "diminuendo ends, also >)",
    "segno": "segno, also S",
    "coda": "coda, also O",
    "D.S.": "dal segno",
    "D.C.": "da capo",
    "dacoda": "da coda",
    "dacapo": "da capo",
    "fine": "fine",
    "shortphrase": "short phrase mark",
    "mediumphrase": "medium phrase mark",
    "longphrase": "long phrase mark",
}

DIRECTIVES = {
    "score": "which voices share staves and braces",
    "staves": "older form of %%score",
    "text": "a line of text",
    "center": "a centred line of text",
    "begintext": "a block of text begins, up to %%endtext",
    "endtext": "a block of text ends",
    "newpage": "a new page begins",
    "vskip": "vertical space",
    "sep": "a separating line",
    "pagewidth": "width of the page",
    "pageheight": "height of the page",
    "topmargin": "space above",
    "leftmargin": "space to the left",
    "rightmargin": "space to the right",
    "staffwidth": "width of the staves",
    "scale": "size of the music",
    "measurenb": "measure numbers every so many measures",
    "barsperstaff": "measures on each line",
    "propagate-accidentals": "how far an accidental holds: not, octave or pitch",
    "linebreak": "which signs break lines",
    "MIDI": "playback: program, channel, transpose",
    "abc-charset": "how the file is encoded",
    "abc-version": "which version of ABC it follows",
}

_TONICS = ["C", "G", "D", "A", "E", "B", "F", "Bb", "Eb", "Ab", "Db", "Gb", "F#", "C#"]
_MINOR_TONICS = ["A", "E", "B", "D", "G", "C", "F", "F#", "C#", "G#", "Bb", "Eb", "D#"]
_MODES = {"mix": "mixolydian", "dor": "dorian", "phr": "phrygian", "lyd": "lydian", "loc": "locrian"}

KEYS = {
    **{tonic: f"{tonic} major" for tonic in _TONICS},
    **{f"{tonic}m": f"{tonic} minor" for tonic in _MINOR_TONICS},
    **{f"{tonic}{mode}": f"{tonic} {name}" for mode, name in _MODES.items() for tonic in "DGAECFB"},
    "none": "no key signature",
    "Hp": "Highland pipes, F sharp and C sharp shown",
    "HP": "Highland pipes, no signature shown",
}

VALUES = {
    "K": ("key", KEYS),
    "M": ("metre", METRES),
    "L": ("length", UNIT_LENGTHS),
    "Q": ("value", TEMPI),
    "R": ("value", RHYTHMS),
}
"""The values of a field: their kind and what each means."""
