"""Which instrument is meant by a Humdrum instrument code or by a name over a staff?

Answers are the lower-case words of `Part.instrument`, empty if unknown. Codes are tried first, then words in the name.

Source: https://www.humdrum.org/guide/appendix02/ (instrument codes), and the names that Polish, Latin, Italian,
German and French sources use.
"""

from __future__ import annotations

import unicodedata

_CODES = {
    "vox": "voice", "canto": "soprano", "soprn": "soprano", "mezzo": "soprano", "calto": "alto", "alto": "alto",
    "tenor": "tenor", "barit": "bass-voice", "bass": "bass-voice", "male": "voice", "feme": "voice", "coro": "voice",
    "nfant": "voice", "piano": "piano", "forte": "piano", "klav": "piano", "organ": "organ", "physh": "organ",
    "clavi": "harpsichord", "cemba": "harpsichord", "guitr": "guitar", "liuto": "guitar", "violn": "violin",
    "viola": "viola", "viole": "double-bass", "cello": "cello", "cbass": "double-bass", "flt": "flute",
    "picco": "flute", "oboe": "oboe", "cangl": "oboe", "clars": "clarinet", "clara": "clarinet", "clarb": "clarinet",
    "fagot": "bassoon", "fag_c": "bassoon", "sax": "saxophone", "cor": "horn", "corno": "horn", "clrno": "trumpet",
    "tromp": "trumpet", "cornt": "trumpet", "tromb": "trombone", "tromt": "trombone", "troma": "trombone",
    "tuba": "tuba", "ophic": "tuba", "serp": "tuba", "timpa": "timpani", "drum": "percussion", "drump": "percussion",
    "bdrum": "percussion", "piatt": "percussion", "trngl": "percussion", "gong": "percussion", "tambn": "percussion",
    "tom": "percussion", "glock": "percussion", "arpa": "harp", "violb": "cello", "violt": "viola",
}  # fmt: skip

_WORDS = (
    ("contrabass", "double-bass"), ("kontrabas", "double-bass"), ("violon ", "double-bass"), ("violone", "double-bass"),
    ("violoncel", "cello"), ("cello", "cello"), ("wiolonczel", "cello"), ("viola", "viola"), ("altowk", "viola"),
    ("violin", "violin"), ("skrzyp", "violin"), ("corno ingl", "oboe"), ("clarinet", "clarinet"),
    ("klarnet", "clarinet"), ("clarin", "trumpet"), ("tromba", "trumpet"), ("trombe", "trumpet"), ("trabk", "trumpet"),
    ("trombon", "trombone"), ("puzon", "trombone"), ("corni", "horn"), ("corno", "horn"), ("waltorni", "horn"),
    ("fagot", "bassoon"), ("flaut", "flute"), ("flet", "flute"), ("flute", "flute"), ("oboe", "oboe"), ("obo", "oboe"),
    ("tympan", "timpani"), ("timpan", "timpani"), ("kotly", "timpani"), ("tuba", "tuba"), ("organ", "organ"),
    ("fortepian", "piano"), ("pianoforte", "piano"), ("piano", "piano"), ("clavicembalo", "harpsichord"),
    ("cembalo", "harpsichord"), ("arpa", "harp"), ("chitarra", "guitar"), ("guitar", "guitar"), ("gitar", "guitar"),
    ("cant", "soprano"), ("sopran", "soprano"), ("discant", "soprano"), ("dyskant", "soprano"), ("alt", "alto"),
    ("tenor", "tenor"), ("bass", "bass-voice"), ("bas", "bass-voice"), ("vox", "voice"), ("voice", "voice"),
    ("glos", "voice"), ("spiew", "voice"), ("chant", "voice"), ("singstimme", "voice"), ("vocum", "voice"),
)  # fmt: skip


def instrument_of(code: str, name: str) -> str:
    """The instrument of a code (`violn`, or `flt&picco` for several, of which the first counts) and a name."""
    for part in code.lower().replace("|", "&").split("&"):
        if part in _CODES:
            return _CODES[part]
    letters = name.lower().replace("\u017f", "s").replace("\u0142", "l")
    plain = unicodedata.normalize("NFKD", letters).encode("ascii", "ignore").decode()
    return next((word for start, word in _WORDS if start in plain), "")
