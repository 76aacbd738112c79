"""What is kept of a voice never shows."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from notation.score import KeySignature
from notation.tokens import places
from notation.tokens import vocabulary as v
from notation.tokens.places import Frame, Place, start
from notation.tokens.vocabulary import TOKEN_IDS

FRAME = Frame(KeySignature(2, "major"), Fraction(3, 4))


def at(*written: str) -> Place:
    place = start(FRAME, ())
    for name in written:
        place = place.after(TOKEN_IDS[name])
    return place


def walk(seed: int, steps: int = 60) -> list[tuple[int, ...]]:
    """The legal tokens met on a random way through voices."""
    random = np.random.default_rng(seed)
    place, found = start(FRAME, ()), []
    for _ in range(steps):
        ids = place.legal(last_measure=False).ids
        found.append(tuple(ids.tolist()))
        place = place.after(int(random.choice(ids))) if len(ids) else start(FRAME, place.held)
    return found


def test_the_same_tokens_lead_to_the_same_place() -> None:
    assert at("n:0:0", "d:1/4", "n:1:0") is at("n:0:0", "d:1/4", "n:1:0")


def test_a_place_is_reached_in_several_ways() -> None:
    """A rest leaves nothing behind by which it could be told what stood before it."""
    assert at("n:0:0", "r") is at("n:4:0", "r")


@pytest.mark.parametrize("most", [pytest.param(1, id="nothing is kept"), pytest.param(7, id="little is kept")])
def test_forgetting_changes_nothing(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    kept = [walk(seed) for seed in range(5)]
    places.forget_places()
    monkeypatch.setattr(places, "MAX_PLACES", most)
    assert [walk(seed) for seed in range(5)] == kept
    assert len(places._PLACES) <= most


def test_only_so_many_places_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    places.forget_places()
    monkeypatch.setattr(places, "MAX_PLACES", 50)
    first = at()
    for seed in range(20):
        walk(seed)
    known, new = {id(first)}, [first]
    while new:
        new = [one for place in new for one in place._following.values() if id(one) not in known]
        known |= set(map(id, new))
    assert len(known) <= 51


@pytest.mark.parametrize(
    ("written", "may_tie", "may_tie_last"),
    [
        pytest.param(("d:1/4", "n:0:0"), True, True, id="within the measure"),
        pytest.param(("d:3/4", "n:0:0"), True, False, id="over the barline"),
        pytest.param(("d:1/4", "n:0:0", "tie"), False, False, id="once only"),
    ],
)
def test_a_tie_needs_somewhere_to_land(written: tuple[str, ...], may_tie: bool, may_tie_last: bool) -> None:
    place = at(*written)
    assert place.may_write(v.TIE, last_measure=False) is may_tie
    assert place.may_write(v.TIE, last_measure=True) is may_tie_last


def test_masks_and_ids_agree_and_cannot_be_changed() -> None:
    legal = at("n:0:0").legal(last_measure=False)
    assert legal.ids.tolist() == np.flatnonzero(legal.mask).tolist()
    with pytest.raises(ValueError, match="read-only"):
        legal.mask[0] = True
    with pytest.raises(ValueError, match="read-only"):
        legal.ids[0] = 1
