"""The same notes as converter21 reads: onset, spelled pitch and duration of every note, in ten small pieces.

converter21 is an independent reader of Humdrum on top of music21; `benchmarks.kern_readers` asks it about a collection.
"""

import warnings

import pytest

from benchmarks.kern_readers import Comparison, read_ours, read_theirs
from notation.kern import parse

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("converter21", reason="converter21 is not installed: pip install converter21")
    pytest.importorskip("music21", reason="music21 is not installed: pip install music21")

_PIECES = {
    "a tune with a pickup": """\
**kern
*clefG2
*k[f#]
*G:
*M6/8
8d
=1
4g
8g
8a
8b
8cc#
=2
2.dd
=3
4.b
4b
==
*-""",
    "triplets against eighths": """\
**kern	**kern
*clefF4	*clefG2
*k[b-e-]	*k[b-e-]
*M2/4	*M2/4
=1	=1
8BB-	12dd
.	12ee-
8F	.
.	12ff
8BB-	12gg
.	12ff#
8F	.
.	12gg
=2	=2
2BB-	20a
.	20b-
.	20cc
.	20dd
.	20b-
.	4a
==	==
*-	*-""",
    "chords and accidentals": """\
**kern
*clefG2
*k[f#c#]
*M4/4
=1
2d 2f# 2a
4e- 4gn 4b-
4c## 4e# 4g#
=2
1BB 1F# 1d#
==
*-""",
    "two voices on one staff": """\
**kern
*clefG2
*k[]
*M4/4
=1
*^
4ee	2c
4ff	.
4gg	2G
4ee	.
=2	=2
2.dd	4B
.	4A
.	4B
4dd	4G
*v	*v
=3
1cc
==
*-""",
    "a voice that enters late": """\
**kern
*clefG2
*k[]
*M3/4
=1
4c
*^
4e	4G
4d	4F
*v	*v
=2
2.c
==
*-""",
    "ties over barlines": """\
**kern	**kern
*clefF4	*clefG2
*k[]	*k[]
*M3/4	*M3/4
=1	=1
[2.C	4e
.	[2g
=2	=2
2.C_	4g]
.	2f
=3	=3
2.C]	2.e
==	==
*-	*-""",
    "dots, long notes and rests": """\
**kern	**kern
*clefF4	*clefG2
*k[]	*k[]
*M4/2	*M4/2
=1	=1
0C	1.c
.	4r
.	8.d
.	16e
=2	=2
0r	2..f
.	8g
.	1a
==	==
*-	*-""",
    "grace notes": """\
**kern
*clefG2
*k[]
*M2/4
=1
8qd
4c
16qqd
16qqe
4f
=2
2c
==
*-""",
    "a piano with a split in each hand": """\
**kern	**kern
*part1	*part1
*clefF4	*clefG2
*k[b-e-a-]	*k[b-e-a-]
*M2/4	*M2/4
=1	=1
*^	*^
4C	8E-	4ee-	8cc
.	8G	.	8g
4BBn	8D	4dd	8bn
.	8G	.	8g
*v	*v	*	*
*	*v	*v
=2	=2
2C	2cc 2ee-
==	==
*-	*-""",
    "four voices with a change of metre and key": """\
**kern	**kern	**kern	**kern
*clefF4	*clefGv2	*clefG2	*clefG2
*k[f#]	*k[f#]	*k[f#]	*k[f#]
*M2/4	*M2/4	*M2/4	*M2/4
=1	=1	=1	=1
4G	4d	4b	4dd
4D	4d	8a	4dd
.	.	8f#	.
=2	=2	=2	=2
*k[f#c#]	*k[f#c#]	*k[f#c#]	*k[f#c#]
*M3/4	*M3/4	*M3/4	*M3/4
4BB	4d	4f#	4b
4E	8e	4g	4b
.	8d	.	.
4A	4c#	4e	4a
==	==	==	==
*-	*-	*-	*-""",
}


@pytest.mark.parametrize("name", _PIECES)
def test_the_notes_are_those_of_a_second_reader(name):
    text = _PIECES[name] + "\n"
    assert not parse(text).diagnostics
    ours, theirs = read_ours(text), read_theirs(text)
    assert any(ours.measures)
    assert ours == theirs


@pytest.mark.parametrize(
    ("old", "new", "causes"),
    [
        pytest.param("2f", "2d", {"pitches (written or sounding)": 1}, id="another note"),
        pytest.param("2f", "2f#", {"alterations": 1}, id="another alteration"),
        pytest.param("2f", "2ff", {"octaves": 1}, id="another octave"),
        pytest.param("[2.C", "2.C", {"ties": 2}, id="no tie"),
        pytest.param("2.C]", ".\t8qd\n2.C]", {"grace notes": 1}, id="a grace note"),
        pytest.param("2.C]\t2.e", "2.C]\t2.r", {"notes that only ours finds": 1}, id="a missing note"),
        pytest.param("=2\t=2\n", "", {"barlines": 2}, id="a missing barline"),
    ],
)
def test_differences_are_seen_and_named(old, new, causes):
    text = _PIECES["ties over barlines"] + "\n"
    changed = text.replace(old, new, 1)
    assert changed != text
    comparison = Comparison()
    comparison.add("here", read_ours(text), read_ours(changed))
    assert comparison.causes == causes
    assert comparison.n_agreeing == comparison.n_measures - sum(causes.values())
