"""The decode loop: what is saved changes nothing of what is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from inference.bundle import load_bundle
from inference.choices import choices, first_options, likeliest, read
from inference.decode import next_measures
from inference.engine import Batch, Engine, Logits
from notation.language import language
from notation.tokens import vocabulary as v
from notation.tokens.grammar import Grammar
from notation.tokens.prompt import Prompt, make_prompt
from tests.support.bundles import music_bundle

ABC = language("abc")
HEADER = "X:1\nM:6/8\nL:1/8\nR:jig\nK:D\n"
TUNE = HEADER + "DFA d2f|ged cBA|DFA d2f|ged e2c|DFA d2f|ged cBA|"


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(load_bundle(music_bundle()), "cpu")


def prompt_at(text: str) -> Prompt:
    site = ABC.completion_site(ABC.parse(text), len(text))
    assert site is not None
    prompt = make_prompt(site, 400)
    assert prompt is not None
    return prompt


@pytest.mark.parametrize(
    "text", [pytest.param(TUNE, id="a measure begins"), pytest.param(HEADER + "C6|", id="nothing came before it")]
)
def test_all_choices_together_are_certain(text: str) -> None:
    logits = np.random.default_rng(0).normal(0, 3, len(v.TOKENS)).astype(np.float32)
    every = choices(logits, prompt_at(text).grammar, len(v.TOKENS))
    assert np.exp([one.log_probability for one in every]).sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "follows"),
    [
        pytest.param("DFA d2f|ged cBA|FED E3|gfe dcB|DFA d2f|", 4, id="after the same measure"),
        pytest.param("DFA d2f|ged cBA|FED E3|gfe dcB|AFA d2f|", 4, id="after the same end of a measure"),
    ],
)
def test_a_tune_goes_on_as_after_the_same_notes(text: str, follows: int) -> None:
    """A model that has no opinion leaves it to what came before."""
    repeats = [
        one for one in choices(np.zeros(len(v.TOKENS), np.float32), prompt_at(HEADER + text).grammar) if one.reference
    ]
    assert repeats[0].reference == follows
    assert repeats[0].log_probability > repeats[1].log_probability + 0.5


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(TUNE, id="a measure begins, and earlier ones may come again"),
        pytest.param(HEADER, id="nothing to refer to"),
        pytest.param(TUNE + "DF", id="a measure is begun"),
    ],
)
def test_the_likeliest_is_the_first_of_all_choices(text: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    grammar = prompt_at(text).grammar.copy()
    n_references = 0
    for _ in range(60):
        logits = random.normal(0, 3, len(v.TOKENS)).astype(np.float32)
        logits[v.FIRST_REFERENCE : v.FIRST_REFERENCE + v.N_REFERENCES] += 6
        every, best = choices(logits, grammar), likeliest(logits, grammar, grammar.legal_ids())
        n_references += best.reference is not None
        assert (best.ids, best.reference) == (every[0].ids, every[0].reference)
        assert best.log_probability == pytest.approx(every[0].log_probability, abs=1e-12)
        assert choices(logits, grammar, 3)[:3] == every[:3]
        for token_id in best.ids:
            grammar.advance(token_id)
    if text == TUNE:
        assert n_references


def test_probabilities_of_all_choices_are_of_one_whole() -> None:
    logits = np.random.default_rng(0).normal(0, 1, len(v.TOKENS)).astype(np.float32)
    grammar = prompt_at(HEADER + "DF").grammar
    every = choices(logits, grammar, len(v.TOKENS))
    assert sum(np.exp(one.log_probability) for one in every) == pytest.approx(1)


def test_a_note_more_in_a_measure_that_came_before_costs_a_token_more(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is typed of the measure is looked at token by token: what the model said there is remembered."""
    engine.reset()
    first_options(engine, prompt_at(TUNE + "DFA "), lambda: False)
    following = prompt_at(TUNE + "DFA d2")
    n_new = following.n_typed - prompt_at(TUNE + "DFA ").n_typed
    assert n_new > 0
    runs: list[int] = []
    extend = engine._slot.extend
    monkeypatch.setattr(engine._slot, "extend", lambda ids, *wanted: (runs.append(len(ids)), extend(ids, *wanted))[1])
    warm = first_options(engine, following, lambda: False)
    assert sum(runs) == n_new
    assert engine.tokens_in_state == following.ids
    monkeypatch.undo()
    engine.reset()
    cold = first_options(engine, following, lambda: False)
    assert [(one.ids, one.reference) for one in warm] == [(one.ids, one.reference) for one in cold]
    assert any(one.reference is not None for one in cold)


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("", id="nothing"),
        pytest.param("EF", id="a new measure"),
        pytest.param("DFA ", id="a measure that came before"),
    ],
)
def test_what_was_read_need_not_be_read_to_choose(engine: Engine, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    """Also if all logits are remembered, and only the state is that of another place."""
    prompt = prompt_at(TUNE + typed)
    read(engine, prompt)
    read(engine, prompt_at(HEADER))
    read(engine, prompt)
    monkeypatch.setattr(engine._slot, "extend", lambda ids, *_: pytest.fail(f"{len(ids)} tokens are read"))
    assert first_options(engine, prompt, lambda: False)
    assert engine.tokens_in_state == prompt.ids


def test_an_answer_does_not_depend_on_what_was_asked_before(engine: Engine) -> None:
    texts = [TUNE[: len(TUNE) - cut] for cut in (0, 3, 4, 8)]
    cold = []
    for text in texts:
        engine.reset()
        cold.append(next_measures(engine, prompt_at(text), 2))
    for text, expected in zip(texts * 2, cold * 2, strict=True):
        (answer,) = next_measures(engine, prompt_at(text), 2)
        assert answer.measures == expected[0].measures
        assert answer.log_probability == pytest.approx(expected[0].log_probability, abs=1e-3)


@pytest.mark.parametrize("n_measures", [1, 2])
@pytest.mark.parametrize("typed", ["", "EF", "DFA "], ids=["a measure begins", "is begun", "is begun as before"])
def test_other_candidates_leave_the_first_where_that_costs_least(model: str, typed: str, n_measures: int) -> None:
    engine, prompt = Engine(load_bundle(Path(model)), "cpu"), prompt_at(TUNE + typed)
    (alone,) = next_measures(engine, prompt, n_measures)
    first, *others = next_measures(engine, prompt, n_measures, candidates=8)
    assert first.measures == alone.measures
    music = {one.measures[0].voices[0, 1, 1] for one in (first, *others)}
    assert len(music) == 8
    assert len({ids[:2] for ids in music}) < 8  # some begin alike
    if n_measures == 1:
        scores = [one.log_probability for one in others]
        assert scores == sorted(scores, reverse=True)


def test_candidates_are_given_as_far_as_there_is_time(engine: Engine) -> None:
    assert 1 <= len(next_measures(engine, prompt_at(TUNE), candidates=6, deadline=0.0)) < 6


def test_what_is_foreseen_is_read_along_and_changes_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    prompt = prompt_at(TUNE)
    fed: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    feed = Batch.feed

    def noted(batch: Batch, row: int, ids: Sequence[int], guess: Sequence[int] = ()) -> Logits:
        fed.append((tuple(ids), tuple(guess)))
        return feed(batch, row, ids, guess)

    monkeypatch.setattr(Batch, "feed", noted)
    engine.reset()
    (answer,) = next_measures(engine, prompt, 4)
    followed = [ids[: len(guess)] == guess for (_, guess), (ids, _) in pairwise(fed) if guess]
    assert any(followed)
    monkeypatch.setattr(Grammar, "foreseen", lambda self, *, repeats: ())
    engine.reset()
    (expected,) = next_measures(engine, prompt, 4)
    assert answer.measures == expected.measures
    assert answer.log_probability == pytest.approx(expected.log_probability, abs=1e-3)
