"""Which tokens there are, and what each means.

A token is a short string; its id is its place in `TOKENS`. The list is part of every bundle: a model is only run with
the vocabulary that it was trained on (`VOCABULARY_HASH`).

Families (what follows the colon is the value):

    <pad> <bos> <eos> <after> <before>      structure of a sequence
    genre: rhythm: inst: part:              header: what kind of piece, the dance, which parts play
    time: key: mode:                        metre and signature, in the header and where they change
    m:                                      a measure begins: its number within its section, 0 for a pickup
    len:                                    a measure of irregular length, in 32nds of a whole note
    voice:                                  the voice (staff.number) that follows, 1.1 unless said
    d:                                      duration of what follows until the next d: (sounding, and tuplet)
    n:                                      a note: diatonic steps from the tonic, alter against the signature
    up:                                     a further note of the same chord: steps above the last, alter
    r skip R                                rest, hidden rest, whole-measure rest
    tie grace                               the last note is tied; the next note is a grace note
    h: k: b:                                chord symbol: root, kind, bass
    | || |] :|                              the measure ends with this barline
    |: ending:                              a repeat, a variant ending begins
    ref:                                    this voice plays its measure k back again

Pitch is relative to the key signature in force: to the tonic of the major key that has the signature, that tonic
taken between C4 and B4. So a transposed tune is the same tokens under another `key:`, and "in the key" is alter 0.

`ref:` is written by the model and never read by it: what it stands for takes its place. The text of a sequence is
therefore the same whether a repeat was typed or suggested.
"""

from __future__ import annotations

import hashlib
from fractions import Fraction
from typing import Final

GENRES: Final = ("folk", "hymn", "lead", "lied", "quartet", "orchestra", "keyboard", "choral", "organ", "other")
RHYTHMS: Final = (
    "air", "barndance", "hornpipe", "jig", "march", "mazurka", "minuet", "other", "polka", "quadrille", "reel",
    "schottische", "slide", "slip jig", "song", "strathspey", "waltz",
)  # fmt: skip
INSTRUMENTS: Final = (
    "melody", "voice", "soprano", "alto", "tenor", "bass-voice", "piano", "organ", "harpsichord", "guitar", "violin",
    "viola", "cello", "double-bass", "flute", "oboe", "clarinet", "bassoon", "saxophone", "horn", "trumpet", "trombone",
    "tuba", "timpani", "percussion", "harp", "other",
)  # fmt: skip
METRES: Final = (
    "2/2", "3/2", "4/2", "6/2", "1/4", "2/4", "3/4", "4/4", "5/4", "6/4", "7/4", "8/4", "9/4", "12/4", "2/8", "3/8",
    "4/8", "5/8", "6/8", "7/8", "8/8", "9/8", "10/8", "12/8", "15/8", "3/16", "4/16", "6/16", "9/16", "12/16", "none",
)  # fmt: skip
MODES: Final = ("none", "major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "locrian")
CHORD_KINDS: Final = (
    "none", "other", "major", "minor", "dominant", "major-seventh", "minor-seventh", "diminished",
    "diminished-seventh", "half-diminished", "augmented", "augmented-seventh", "suspended-second", "suspended-fourth",
    "major-sixth", "minor-sixth", "dominant-ninth", "major-ninth", "minor-ninth", "dominant-11th", "minor-11th",
    "dominant-13th", "minor-13th", "major-minor", "power",
)  # fmt: skip
BARLINES: Final = ("|", "||", "|]", ":|")

N_REFERENCES: Final = 32
N_PARTS: Final = 40
N_STAVES: Final = 4
N_VOICES: Final = 4
N_MEASURE_NUMBERS: Final = 33
LENGTH_UNIT: Final = Fraction(1, 32)
N_LENGTHS: Final = 128
LOWEST_STEP: Final = -30
HIGHEST_STEP: Final = 34
WIDEST_CHORD_STEP: Final = 28
ALTERS: Final = (0, 1, -1, 2, -2)


Duration = tuple[Fraction, tuple[int, int] | None]
"""What a `d:` token says: the sounding duration, and the (actual, normal) of its tuplet."""


def _durations() -> list[Duration]:
    """Every (sounding duration, tuplet) that has a token.

    Each family holds its own finest unit, of which all its members are multiples: whatever position a voice has
    reached, the rest of the measure can be filled.
    """
    plain = [Fraction(1, 2**k) for k in range(8)] + [Fraction(2), Fraction(4)]
    dotted = [Fraction(3, 2**k) for k in range(8)]
    double_dotted = [Fraction(7, 2**k) for k in range(2, 7)]
    other = [Fraction(5, 2**k) for k in range(2, 6)] + [Fraction(9, 2**k) for k in range(3, 5)]
    durations: list[Duration] = [(duration, None) for duration in sorted({*plain, *dotted, *double_dotted, *other})]
    written = sorted({*plain[:7], *dotted[1:6]})
    for actual, normal in ((3, 2), (5, 4), (2, 3), (4, 3), (6, 5), (7, 4), (7, 6), (7, 8), (5, 6), (5, 3), (9, 8)):
        durations += [(value * normal / actual, (actual, normal)) for value in written if value <= Fraction(1, 1)]
    return durations


DURATIONS: Final = tuple(_durations())


def duration_token(duration: Fraction, tuplet: tuple[int, int] | None) -> str:
    """The name of a duration: `d:3/16`, in a tuplet `d:1/12(3:2)`."""
    ratio = f"({tuplet[0]}:{tuplet[1]})" if tuplet else ""
    return f"d:{duration}{ratio}"


def _tokens() -> list[str]:
    tokens = ["<pad>", "<bos>", "<eos>", "<after>", "<before>"]
    tokens += [f"genre:{name}" for name in GENRES]
    tokens += [f"rhythm:{name}" for name in RHYTHMS]
    tokens += [f"inst:{name}" for name in INSTRUMENTS]
    tokens += [f"part:{index}" for index in range(N_PARTS)]
    tokens += [f"time:{name}" for name in METRES]
    tokens += [f"key:{fifths}" for fifths in range(-7, 8)]
    tokens += [f"mode:{name}" for name in MODES]
    tokens += [f"m:{number}" for number in range(N_MEASURE_NUMBERS)]
    tokens += [f"len:{units}" for units in range(1, N_LENGTHS + 1)]
    tokens += [f"voice:{staff}.{number}" for staff in range(1, N_STAVES + 1) for number in range(1, N_VOICES + 1)]
    tokens += [duration_token(*duration) for duration in DURATIONS]
    tokens += [f"n:{step}:{alter}" for step in range(LOWEST_STEP, HIGHEST_STEP + 1) for alter in ALTERS]
    tokens += [f"up:{step}:{alter}" for step in range(WIDEST_CHORD_STEP + 1) for alter in ALTERS]
    tokens += ["r", "skip", "R", "tie", "grace"]
    tokens += ["h:none", *(f"h:{step}:{alter}" for step in range(7) for alter in ALTERS)]
    tokens += [f"k:{kind}" for kind in CHORD_KINDS]
    tokens += [f"b:{step}:{alter}" for step in range(7) for alter in ALTERS]
    tokens += list(BARLINES)
    tokens += ["|:", *(f"ending:{number}" for number in (1, 2, 3))]
    tokens += [f"ref:{back}" for back in range(1, N_REFERENCES + 1)]
    return tokens


TOKENS: Final = tuple(_tokens())
TOKEN_IDS: Final = {token: token_id for token_id, token in enumerate(TOKENS)}
VOCABULARY_HASH: Final = hashlib.sha256("\n".join(TOKENS).encode()).hexdigest()[:16]

PAD: Final = TOKEN_IDS["<pad>"]
BOS: Final = TOKEN_IDS["<bos>"]
EOS: Final = TOKEN_IDS["<eos>"]
AFTER: Final = TOKEN_IDS["<after>"]
BEFORE: Final = TOKEN_IDS["<before>"]
REST: Final = TOKEN_IDS["r"]
HIDDEN_REST: Final = TOKEN_IDS["skip"]
MEASURE_REST: Final = TOKEN_IDS["R"]
TIE: Final = TOKEN_IDS["tie"]
GRACE: Final = TOKEN_IDS["grace"]
PICKUP: Final = TOKEN_IDS["m:0"]
REPEAT_START: Final = TOKEN_IDS["|:"]
ENDING_IDS: Final = frozenset(TOKEN_IDS[f"ending:{number}"] for number in (1, 2, 3))
FIRST_REFERENCE: Final = TOKEN_IDS["ref:1"]

DURATION_IDS: Final = {duration: TOKEN_IDS[duration_token(*duration)] for duration in DURATIONS}
DURATION_OF: Final = {token_id: duration for duration, token_id in DURATION_IDS.items()}
NOTE_IDS: Final = {
    (step, alter): TOKEN_IDS[f"n:{step}:{alter}"] for step in range(LOWEST_STEP, HIGHEST_STEP + 1) for alter in ALTERS
}
NOTE_OF: Final = {token_id: note for note, token_id in NOTE_IDS.items()}
UP_IDS: Final = {
    (step, alter): TOKEN_IDS[f"up:{step}:{alter}"] for step in range(WIDEST_CHORD_STEP + 1) for alter in ALTERS
}
UP_OF: Final = {token_id: up for up, token_id in UP_IDS.items()}
NOTEHEADS: Final = frozenset({*NOTE_OF, *UP_OF})
BARLINE_IDS: Final = {name: TOKEN_IDS[name] for name in BARLINES}
DEFAULT_DURATION: Final[Duration] = (Fraction(1, 8), None)
"""What a voice begins each measure with, so that a measure of eighths needs no duration token."""


def family(token: str) -> str:
    """The family of a token: what stands before its colon, or the token itself."""
    return token.split(":", 1)[0] if ":" in token and token not in (":|", "|:") else token
