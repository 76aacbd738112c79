"""A document and a cursor in, suggestions out. The model is random: whatever it writes must fit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.completion import Completer, CompletionOptions, CompletionResult, load_completer
from inference.errors import Cancelled
from notation.abc import parser
from notation.language import language
from notation.recent import Recent
from tests.support.bundles import music_bundle

ABC = language("abc")
HEADER = "X:1\nM:6/8\nL:1/8\nR:jig\nK:D\n"


@pytest.fixture(scope="module")
def completer() -> Completer:
    return load_completer(str(music_bundle()))


def complete(completer: Completer, source: str, **options: object) -> CompletionResult:
    offset = source.index("‸")
    document = ABC.parse(source.replace("‸", ""))
    return completer.complete(document, ABC, offset, CompletionOptions(**options))  # type: ignore[arg-type]


def tunes() -> Iterator[str]:
    """Folk tunes that come with music21, one of each of its files."""
    spec = find_spec("music21")
    assert spec is not None
    assert spec.origin is not None
    files = sorted((Path(spec.origin).parent / "corpus").glob("**/*.abc"))
    assert len(files) > 100, "music21's corpus of ABC files is missing"
    for path in files[3::97]:
        yield path.read_text("utf-8", errors="replace")


SEVERAL = [
    (HEADER + "DFA d2f|", ["g", "ed ", "BA"]),
    ("X:1\nL:1/8\nM:4/4\nK:G\n|:G2B2 d4|", ["c", "2A2 ", "F4|"]),
    ("X:1\nL:1/8\nM:3/4\nK:C\nV:1\nC2E2G2|\nV:2\n", ["C,", "6|", "E,2"]),
]
"""Documents, and what is typed at their ends, piece by piece."""


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations([number for number, (_, pieces) in enumerate(SEVERAL) for _ in pieces]))
def test_documents_that_take_turns_are_completed_as_alone(completer: Completer, turns: list[int]) -> None:
    documents = [ABC.parse(text) for text, _ in SEVERAL]
    rest = [list(pieces) for _, pieces in SEVERAL]
    for number in turns:
        text = documents[number].text + rest[number].pop(0)
        documents[number] = ABC.parse(text, documents[number])
        found = completer.complete(documents[number], ABC, len(text))
        assert found.suggestions
        assert [one.text for one in found.suggestions] == alone(text)


@lru_cache
def alone(text: str) -> list[str]:
    """What is suggested at the end of a document by a model that has read no other."""
    found = load_completer(str(music_bundle())).complete(ABC.parse(text), ABC, len(text))
    return [one.text for one in found.suggestions]


def test_verification_reads_only_what_was_written(completer: Completer, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many documents were read in between."""
    text = HEADER + "DFA d2f|\n" * 20
    document, offset = ABC.parse(text), text.index("|", 90) + 1
    monkeypatch.setattr(parser, "DOCUMENTS", Recent(1, 1))
    monkeypatch.setattr(parser, "_parse_whole", None)
    assert completer.complete(document, ABC, offset).suggestions


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("D6:|‸", id="a new section"),
        pytest.param("DFA d2‸", id="one eighth is missing"),
        pytest.param("DFA d2f‸", id="only the barline is missing"),
        pytest.param("DFA d2f|ged ‸", id="half a measure"),
        pytest.param("DFA ^‸", id="an accidental is typed"),
        pytest.param("(3DFA (3DF‸", id="in a tuplet"),
        pytest.param("D3-‸", id="after a tie"),
        pytest.param("DFA d2f|‸\nD6|]", id="leading into what follows"),
        pytest.param("A>‸", id="in a broken rhythm"),
    ],
)
def test_every_suggestion_fills_its_measure(completer, source):
    result = complete(completer, HEADER + source, candidates=3)
    assert result.suggestions
    for suggestion in result.suggestions:
        text = HEADER + source.replace("‸", suggestion.text)
        [score] = ABC.parse(text).scores
        [part] = score.parts
        assert all(measure.is_full for measure in part.measures[:-1] if measure.barline)
        assert not [one for one in ABC.parse(text).diagnostics if one.code.startswith("measure")]


@pytest.mark.parametrize(
    ("typed", "closes"),
    [
        pytest.param("DFA d2f-", True, id="a tie"),
        pytest.param("DFA d2f^", False, id="an accidental"),
        pytest.param('DFA d2f"Am"', False, id="a chord symbol"),
        pytest.param("DFA d2f!trill!", False, id="a decoration"),
        pytest.param("DFA d2f(", False, id="a slur"),
        pytest.param("DFA d2f/g", False, id="too many notes"),
    ],
)
def test_a_full_measure_is_closed_or_left_alone(completer, typed, closes):
    suggestions = complete(completer, HEADER + typed + "‸").suggestions
    assert [one.text.strip()[:1] for one in suggestions] == (["|"] if closes else [])


TYPED = (
    'M:2/4\nL:1/8\nK:G\nD|"G"G2 .A(3B/c/d/|!trill!e2-e^f|{ag}g>f (e<d)|[GBd]2 z2-|1 _B/=B/c (3def:|2 u^c4-|\n'
    "M:3/4\nc2 (3:2:2d2e +fermata+[ce]2|[K:D]F6|]"
)
"""Much that may stand half-typed."""


@pytest.mark.parametrize("measures", [1, 2])
def test_typing_a_tune_never_fails(completer, measures):
    """At every character a user may stop and ask."""
    for end in range(len(TYPED) + 1):
        complete(completer, f"X:1\n{TYPED[:end]}‸", measures=measures)


@pytest.mark.parametrize("candidates", [1, 3])
def test_more_measures_than_there_is_room_for_end_with_a_whole_one(completer, candidates):
    result = complete(completer, HEADER + "DFA d2f|ged cBA|" * 30 + "‸", measures=200, candidates=candidates)
    assert result.suggestions
    for suggestion in result.suggestions:
        assert 1 < suggestion.measures < 200
        assert suggestion.text.rstrip().endswith(("|", "]"))


def test_candidates_differ_and_the_first_does_not_depend_on_how_many(completer):
    several = complete(completer, HEADER + "DFA d2f|‸", candidates=4)
    one = complete(completer, HEADER + "DFA d2f|‸", candidates=1)
    texts = [suggestion.text for suggestion in several.suggestions]
    assert len(set(texts)) == len(texts) >= 3
    assert one.suggestions[0].text == texts[0]


def test_the_same_seed_gives_the_same_suggestions(completer):
    first, again, other = (
        complete(completer, HEADER + "DFA d2f|‸", candidates=3, temperature=1.0, seed=seed) for seed in (1, 1, 2)
    )
    assert [one.text for one in first.suggestions] == [one.text for one in again.suggestions]
    assert [one.text for one in first.suggestions] != [one.text for one in other.suggestions]


def test_what_was_computed_before_does_not_change_a_suggestion(completer):
    source = HEADER + "DFA d2f|ged c2A|DFA d‸"
    alone = complete(load_completer(str(music_bundle())), source, candidates=2)
    complete(completer, HEADER + "DFA d2f|ged c2A|‸", candidates=3)
    complete(completer, HEADER + "DFA d2f|ged ‸", candidates=1)
    after_others = complete(completer, source, candidates=2)
    assert [one.text for one in alone.suggestions] == [one.text for one in after_others.suggestions]


@pytest.mark.parametrize("measures", [1, 2, 4])
def test_as_many_measures_as_asked_for(completer, measures):
    result = complete(completer, HEADER + "DFA d2f|‸", measures=measures)
    [suggestion] = result.suggestions
    assert suggestion.measures <= measures
    assert suggestion.text.count("|") >= suggestion.measures


@pytest.mark.parametrize("measures", [1, 2])
@pytest.mark.parametrize("section", [":|‸", ":|\n|:‸", "||\n‸"])
def test_a_pickup_completes_the_short_measure_and_leads_on(model, section, measures):
    completer = load_completer(model)
    source = HEADER + "A|DFA d2f|DFA d2" + section
    result = complete(completer, source, measures=measures, candidates=3)
    assert len(result.suggestions) == 3
    for suggestion in result.suggestions:
        assert suggestion.measures == measures or suggestion.text.endswith("|]")
        score = ABC.parse(source.replace("‸", suggestion.text)).scores[0]
        lengths = [measure.duration * 8 for measure in score.parts[0].measures[3:]]
        assert lengths[:2] == [1, 6]
        assert len(lengths) == 1 + suggestion.measures


def test_the_model_decides_whether_a_tune_begins_with_a_pickup(completer):
    """One decision for all candidates, so that the first does not depend on how many are asked for."""
    result = complete(completer, HEADER + "‸", candidates=4)
    documents = [ABC.parse(HEADER + one.text) for one in result.suggestions]
    firsts = {document.scores[0].parts[0].measures[0].duration * 8 for document in documents}
    assert len(documents) > 1
    assert firsts in ({1}, {6})
    assert not any(one.code.startswith("measure") for document in documents for one in document.diagnostics)


@pytest.mark.parametrize(
    "source", ["X:1\nT:a tit‸le\nK:D\n", HEADER + "% a com‸ment", HEADER + 'DFA "A‸m"', HEADER + "D3\nw: la ‸la\n"]
)
def test_nothing_is_suggested_where_no_music_goes(completer, source):
    result = complete(completer, source)
    assert result.suggestions == ()
    assert result.site is None


def test_cancelling_stops_and_the_next_request_is_sound(completer):
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 2

    document = ABC.parse(HEADER + "DFA d2f|")
    with pytest.raises(Cancelled):
        completer.complete(document, ABC, len(document.text), CompletionOptions(measures=8), cancelled)
    assert asked == 3
    fresh = complete(load_completer(str(music_bundle())), HEADER + "DFA d2f|‸")
    again = complete(completer, HEADER + "DFA d2f|‸")
    assert [one.text for one in again.suggestions] == [one.text for one in fresh.suggestions]


def test_a_deadline_in_the_past_gives_what_is_certain(completer):
    result = complete(completer, HEADER + "DFA d2f|ged c2A|‸", measures=4, deadline=time.monotonic() - 1)
    assert all(suggestion.measures <= 4 for suggestion in result.suggestions)


def test_holes_in_real_tunes_are_filled_without_a_new_diagnostic(completer):
    random = np.random.default_rng(5)
    asked = answered = 0
    for text in tunes():
        for offset in sorted(random.integers(0, len(text), 12).tolist()):
            document = ABC.parse(text[:offset])
            result = completer.complete(document, ABC, offset, CompletionOptions(candidates=2))
            asked += result.site is not None
            answered += bool(result.suggestions)
            for suggestion in result.suggestions:
                completed = ABC.parse(text[:offset] + suggestion.text)
                assert len(completed.diagnostics) <= len(document.diagnostics)
    assert asked > 30
    assert answered > 0.9 * asked


def test_the_timing_names_every_stage(completer):
    timing = complete(completer, HEADER + "DFA d2f|‸").timing_ms
    assert set(timing) == {"parse", "prefill", "decode", "render", "verify", "total"}
    assert timing["total"] == pytest.approx(sum(value for name, value in timing.items() if name != "total"))
