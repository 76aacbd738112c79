"""Scores to tokens and back, by example and over real tunes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import pytest

from notation.abc import LANGUAGE as ABC
from notation.score import Event, Score
from notation.tokens import encode
from notation.tokens import vocabulary as v
from notation.tokens.decode import decode_segment
from tests.notation.tokens.replay import first_illegal

HEADER = "X:1\nT:A tune\nM:{metre}\nL:1/8\nK:{key}\n"


def parse(music: str, key: str = "D", metre: str = "6/8") -> Score:
    return ABC.parse(HEADER.format(key=key, metre=metre) + music).scores[0]


def words(music: str, key: str = "D", metre: str = "6/8") -> str:
    encoded = encode.encode_score(parse(music, key, metre))
    return " ".join(v.TOKENS[i] for measure in encoded.measures for i in encode.measure_ids(measure, encoded.n_parts))


def corpus() -> list[Path]:
    """Folk tunes that come with music21."""
    spec = find_spec("music21")
    assert spec is not None
    assert spec.origin is not None
    files = sorted((Path(spec.origin).parent / "corpus").glob("**/*.abc"))
    assert len(files) > 100, "music21's corpus of ABC files is missing"
    return files[::9]


@pytest.mark.parametrize(
    ("music", "tokens"),
    [
        pytest.param("DFA d2f|", "m:1 n:0:0 n:2:0 n:4:0 d:1/4 n:7:0 d:1/8 n:9:0 |", id="eighths need no duration"),
        pytest.param("A|DFA d2f|", "m:0 len:4 n:4:0 | m:1 n:0:0 n:2:0 n:4:0 d:1/4 n:7:0 d:1/8 n:9:0 |", id="a pickup"),
        pytest.param("^D3 =F3|", "m:1 d:3/8 n:0:1 n:2:-1 |", id="alters count against the signature"),
        pytest.param("(3DFA (3DFA z2|", "m:1 d:1/12(3:2) n:0:0 n:2:0 n:4:0 n:0:0 n:2:0 n:4:0 d:1/4 r |", id="triplets"),
        pytest.param("[DFA]6|", "m:1 d:3/4 n:0:0 up:2:0 up:2:0 |", id="a chord from below"),
        pytest.param("D6-|D6|", "m:1 d:3/4 n:0:0 tie | m:2 d:3/4 n:0:0 |", id="a tie that lands"),
        pytest.param("D6-|E6|", "m:1 d:3/4 n:0:0 | m:2 d:3/4 n:1:0 |", id="a tie into nothing is left out"),
        pytest.param("Z|", "m:1 R |", id="a whole-measure rest"),
        pytest.param('"A7"{e}D6|', "m:1 grace n:8:0 h:4:0 k:dominant d:3/4 n:0:0 |", id="grace note, chord symbol"),
        pytest.param("D6:|E6|]", "m:1 d:3/4 n:0:0 :| m:1 d:3/4 n:1:0 |]", id="sections are counted anew"),
        pytest.param("A|DFA d2:|", "m:0 len:4 n:4:0 | m:1 n:0:0 n:2:0 n:4:0 d:1/4 n:7:0 :|", id="a complement"),
        pytest.param("D6|[M:9/8]D9|", "m:1 d:3/4 n:0:0 | m:2 time:9/8 d:9/8 n:0:0 |", id="the metre changes"),
        pytest.param("D6|[K:G]D6|", "m:1 d:3/4 n:0:0 | m:2 key:1 mode:major d:3/4 n:-3:0 |", id="the key changes"),
    ],
)  # fmt: skip
def test_writes_measures_as_tokens(music, tokens):
    assert words(music) == tokens


def test_a_transposed_tune_differs_only_in_its_key():
    assert words("DFA d2f|ged c3|", key="D") == words("EGB e2g|afe d3|", key="E")
    header = encode.encode_score(parse("EGB e2g|", key="E")).measures[0].metre_and_key
    assert [v.TOKENS[i] for i in header] == ["time:6/8", "key:4", "mode:major"]


def test_a_repeated_measure_is_found_at_every_distance():
    encoded = encode.encode_score(parse("DFA d2f|ged c3|DFA d2f|DFA d2f|"))
    last = encoded.measures[3].segments[0]
    assert encode.reference_distances(encoded.measures, 3, last) == [1, 3]


def test_voices_are_named_part_by_part_and_one_can_be_put_last():
    score = ABC.parse("X:1\nM:2/4\nL:1/4\nV:1\nV:2\nK:C\n[V:1]CD|\n[V:2]EF|\n").scores[0]
    encoded = encode.encode_score(score)
    in_order = [v.TOKENS[i] for i in encode.measure_ids(encoded.measures[0], 2)]
    assert in_order == ["m:1", "part:0", "d:1/4", "n:0:0", "n:1:0", "part:1", "d:1/4", "n:2:0", "n:3:0", "|"]
    first_last = [v.TOKENS[i] for i in encode.measure_ids(encoded.measures[0], 2, last_part=0)]
    assert first_last == ["m:1", *in_order[5:9], *in_order[1:5], "|"]


def test_what_has_no_token_is_dropped_and_counted():
    encoded = encode.encode_score(parse("(11:8:11DFADFADFADF D|DFA d2f|", metre="4/4"))
    assert encoded.measures[0].segments == ()
    assert encoded.dropped == {"tuplet 11:8": 1}


def normalised(event: Event) -> tuple[object, ...]:
    """What tokens promise to keep of an event."""
    notes = tuple(dict.fromkeys(note.pitch for note in event.notes))
    return event.onset, event.duration, notes, event.hidden, event.chord_symbol


def joined(events: list[Event]) -> list[Event]:
    """Tied repetitions joined again: a duration without a token is written as several."""
    done: list[Event] = []
    for event in events:
        last = done[-1] if done else None
        tied = last is not None and last.notes and all(note.tie for note in last.notes)
        if last and tied and not event.chord_symbol and normalised(last)[2] == normalised(event)[2]:
            done[-1] = replace(last, duration=last.duration + event.duration, notes=event.notes)
        else:
            done.append(event)
    return done


def assert_segments_come_back(score: Score, encoded: encode.EncodedScore) -> None:
    for index, measure in enumerate(encoded.measures):
        for segment in measure.segments:
            source = score.parts[segment.part].measures[index]
            place = (segment.staff, segment.number)
            [voice] = [one for one in source.voices if (one.staff, one.number) == place]
            wanted = joined([event for event in voice.events if not event.grace])
            if any(event.whole_measure for event in wanted):
                continue
            found = joined([event for event in decode_segment(segment.ids, source.key) if not event.grace])
            assert [normalised(event) for event in found[: len(wanted)]] == [normalised(event) for event in wanted]


def test_real_tunes_come_back_and_the_grammar_allows_them():
    n_tunes = n_measures = n_dropped = 0
    for path in corpus():
        for score in ABC.parse(path.read_text("utf-8", errors="replace")).scores[:5]:
            if not score.n_measures:
                continue
            encoded = encode.encode_score(score)
            assert first_illegal(score, encoded) is None, f"{path.name}, {score.title}"
            assert_segments_come_back(score, encoded)
            n_tunes += 1
            n_measures += len(encoded.measures)
            n_dropped += sum(encoded.dropped.values())
    assert n_tunes > 100
    assert n_dropped < n_measures / 100


def test_durations_of_every_family_fill_every_rest_of_a_measure():
    for duration, tuplet in v.DURATIONS:
        finest = min(length for length, ratio in v.DURATIONS if ratio == tuplet)
        assert duration % finest == 0 or duration % Fraction(1, 128) == 0
