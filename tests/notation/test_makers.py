"""What a maker makes is what the constructor makes."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import FrozenInstanceError, replace
from fractions import Fraction
from typing import Any

import pytest

from notation.makers import make_event, make_marks, make_measure, make_note, make_span, make_voice
from notation.score import Event, Marks, Measure, Note, Pitch, TimeSignature, Voice
from notation.source import Span

NOTE = Note(Pitch("C", 4), True, True, Span(3, 4))
QUARTER = Fraction(1, 4)


@pytest.mark.parametrize(
    ("make", "cls", "values"),
    [
        pytest.param(make_span, Span, (3, 4), id="span"),
        pytest.param(make_note, Note, (Pitch("C", 4), True, False, Span(1, 2)), id="note"),
        pytest.param(make_note, Note, (Pitch("C", 4),), id="note with defaults"),
        pytest.param(make_event, Event, (QUARTER, QUARTER, (NOTE,), (3, 2)), id="event"),
        pytest.param(make_marks, Marks, (("trill",), (), 1, 0, ("la-",)), id="marks"),
        pytest.param(make_voice, Voice, ((Event(QUARTER, QUARTER),), 2, 1), id="voice"),
        pytest.param(make_measure, Measure, ((), TimeSignature((3,), 4)), id="measure"),
        pytest.param(make_measure, Measure, (), id="measure with defaults"),
    ],
)
def test_it_makes_what_the_constructor_makes(make: Callable[..., Any], cls: Any, values: tuple[object, ...]) -> None:
    made, expected = make(*values), cls(*values)
    assert type(made) is cls
    assert made == expected
    assert hash(made) == hash(expected)
    assert repr(made) == repr(expected)
    assert repr(deepcopy(made)) == repr(expected)
    name = next(iter(cls.__dataclass_fields__))
    assert replace(made, **{name: getattr(made, name)}) == expected
    with pytest.raises(FrozenInstanceError):
        setattr(made, name, None)
