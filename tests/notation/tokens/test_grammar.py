"""Whatever the model prefers, a measure can only be left full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notation.score import KeySignature
from notation.tokens import vocabulary as v
from notation.tokens.decode import decode_segment
from notation.tokens.echo import VoiceId
from notation.tokens.grammar import Grammar, Scope
from notation.tokens.places import Allowed, Forced
from notation.tokens.vocabulary import TOKEN_IDS

D_MAJOR = KeySignature(2, "major")
Segments = Mapping[VoiceId, tuple[int, ...]]
TUNE = Scope(1, (0,), required=frozenset({0}), voices=((1, 1),), heads=frozenset())


def tokens(*names: str) -> list[int]:
    return [TOKEN_IDS[name] for name in names]


def names(grammar: Grammar) -> set[str]:
    return {v.TOKENS[i] for i in np.flatnonzero(grammar.legal())}


def at(*written: str, full: Fraction = Fraction(3, 4), forced: Sequence[Forced] = ()) -> Grammar:
    """A grammar inside measure 1 of a tune in D, after some tokens."""
    grammar = Grammar(TUNE, {0: D_MAJOR}, full)
    grammar.enter_voice((0, 1, 1), number=1, length=full, forced=forced)
    for token_id in tokens(*written):
        assert grammar.legal()[token_id], v.TOKENS[token_id]
        grammar.advance(token_id)
    return grammar


def random_measures(
    grammar: Grammar, random: np.random.Generator, n: int
) -> list[dict[tuple[int, int, int], tuple[int, ...]]]:
    """Let chance write measures; long durations are preferred so that it ends."""
    done = len(grammar.history) + n
    for _ in range(20_000):
        legal = np.flatnonzero(grammar.legal())
        assert len(legal), "no token is legal"
        barlines = [i for i in legal if i in v.BARLINE_IDS.values()]
        grammar.advance(int(random.choice(barlines if barlines and random.random() < 0.5 else legal)))
        if len(grammar.history) == done:
            return grammar.history[-n:]
    raise AssertionError("the measures never end")


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    beats=st.integers(1, 12),
    unit=st.sampled_from([2, 4, 8, 16]),
    fifths=st.integers(-7, 7),
    n_parts=st.integers(1, 3),
)
def test_chance_always_fills_every_voice_exactly(seed, beats, unit, fifths, n_parts):
    full = Fraction(beats, unit)
    key = KeySignature(fifths)
    scope = Scope(n_parts, tuple(range(n_parts)), required=frozenset(range(n_parts)), heads=frozenset())
    grammar = Grammar(scope, dict.fromkeys(range(n_parts), key), full)
    for measure in random_measures(grammar, np.random.default_rng(seed), 3):
        assert {voice[0] for voice in measure} == set(range(n_parts))
        for ids in measure.values():
            events = decode_segment(ids, key, length=full)
            assert events[-1].end == full
            assert all(abs(note.pitch.alter) <= 2 for event in events for note in event.notes)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_ties_land_and_tuplets_are_complete_whatever_chance_writes(seed):
    grammar = Grammar(TUNE, {0: D_MAJOR}, Fraction(1))
    history = random_measures(grammar, np.random.default_rng(seed), 4)
    events = [event for measure in history for ids in measure.values() for event in decode_segment(ids, D_MAJOR)]
    sounding = [event for event in events if not event.grace]
    for event, following in pairwise(sounding):
        tied = {note.pitch for note in event.notes if note.tie}
        assert tied <= {note.pitch for note in following.notes}
    triplets = Counter(event.duration for event in events if event.tuplet == (3, 2))
    assert (sum(length * count for length, count in triplets.items()) * 32).denominator == 1


@pytest.mark.parametrize(
    ("written", "legal", "illegal"),
    [
        pytest.param(["d:1/2", "n:0:0"], "d:1/4", "d:1/2", id="what does not fit any more"),
        pytest.param(["d:3/4", "n:0:0"], "|", "n:0:0", id="a full measure needs its barline"),
        pytest.param(["n:0:0"], "n:1:0", "|", id="an unfinished measure cannot be left"),
        pytest.param(["d:1/4", "n:0:0", "tie"], "n:0:0", "n:1:0", id="a tie lands on its pitch"),
        pytest.param(["d:1/4", "n:0:0", "tie"], "d:1/2", "r", id="a tie does not land on a rest"),
        pytest.param(["d:1/12(3:2)", "n:0:0"], "n:1:0", "d:1/8", id="a tuplet goes on in its ratio"),
        pytest.param(["d:1/12(3:2)", "n:0:0", "n:0:0", "n:0:0"], "d:1/8", "|", id="a complete tuplet may be left"),
        pytest.param(["n:0:0", "up:2:0"], "up:2:0", "up:0:0", id="chords are written upwards"),
        pytest.param(["h:0:0"], "k:major", "n:0:0", id="a chord symbol has a kind"),
        pytest.param(["d:1/4"], "n:0:0", "d:1/8", id="a duration is used"),
        pytest.param([], "R", "ref:1", id="nothing to refer to"),
    ],
)
def test_what_may_come_next(written, legal, illegal):
    found = names(at(*written))
    assert legal in found
    assert illegal not in found


def test_half_typed_text_decides_the_next_event():
    sharp = at(forced=[Forced(alter=1)])
    sounding = {name for name in names(sharp) if name.startswith("n:")}
    assert "n:2:0" in sounding  # F sharp, which the signature has
    assert "n:0:1" in sounding  # D sharp
    assert "n:0:0" not in sounding
    short = at(forced=[Forced(duration=(Fraction(1, 16), None))])
    assert names(short) & {"d:1/16", "d:1/4", "n:0:0"} == {"d:1/16"}


def test_the_last_measure_ends_without_a_tie():
    grammar = at("d:3/4", "n:0:0")
    assert "tie" in names(grammar)
    grammar.last_measure = True
    assert "tie" not in names(grammar)


def test_a_section_may_end_short_by_its_pickup():
    grammar = at("d:1/2", "n:0:0", "d:1/8", "n:0:0")
    assert ":|" not in names(grammar)
    grammar.pickup = Fraction(1, 8)
    assert names(grammar) & set(v.BARLINES) == {":|", "||", "|]"}


def test_references_are_offered_only_where_they_fit():
    grammar = Grammar(TUNE, {0: D_MAJOR}, Fraction(3, 8))
    fits = tuple(tokens("n:0:0", "n:1:0", "n:2:0"))
    too_long = tuple(tokens("n:0:0", "n:1:0", "n:2:0", "n:3:0"))
    grammar.history = [{(0, 1, 1): fits}, {(0, 1, 1): too_long}, {(0, 1, 1): fits}]
    grammar.enter_voice((0, 1, 1), number=4, length=Fraction(3, 8))
    assert grammar.references() == {TOKEN_IDS["ref:1"]: fits, TOKEN_IDS["ref:3"]: fits}
    grammar.advance(TOKEN_IDS["n:0:0"])
    assert grammar.references() == {}


@pytest.mark.parametrize(
    ("written", "max_chord", "repeats", "expected"),
    [
        pytest.param(["d:3/4", "n:0:0"], 1, False, ("|", "m:2"), id="nothing but a tie can come"),
        pytest.param(["d:3/4", "n:0:0"], 3, False, (), id="a chord may grow"),
        pytest.param(["d:3/4", "n:0:0"], 3, True, ("|", "m:2"), id="what comes again has come to its end"),
        pytest.param(["d:1/2", "n:0:0"], 1, False, (), id="the measure is not full"),
    ],
)
def test_what_nearly_always_comes_is_foreseen(written, max_chord, repeats, expected):
    grammar = Grammar(replace(TUNE, allowed=Allowed(max_chord=max_chord)), {0: D_MAJOR}, Fraction(3, 4))
    grammar.enter_voice((0, 1, 1), number=1, length=Fraction(3, 4))
    for token_id in tokens(*written):
        grammar.advance(token_id)
    assert grammar.foreseen(repeats=repeats) == tuple(tokens(*expected))


def test_a_barline_that_cannot_come_is_not_foreseen():
    grammar = at("d:3/4", "n:0:0")
    grammar.closing = v.BARLINE_IDS["||"]
    assert grammar.foreseen(repeats=True) == ()


def test_a_copy_goes_its_own_way():
    grammar = at("n:0:0")
    twin = grammar.copy()
    twin.advance(TOKEN_IDS["n:1:0"])
    assert grammar.voice is not None
    assert twin.voice is not None
    assert (grammar.voice.place.position, twin.voice.place.position) == (Fraction(1, 8), Fraction(1, 4))
