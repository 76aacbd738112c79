"""How well are four measures filled in, in the middle of a tune of one voice?

The gap is the middle one of the piece, of whole measures inside one section; what stands before it is given, and what
follows. A model is asked as in an editor, with the cursor where the gap is, and each measure it writes is taken. Token
accuracy is counted on a grid of 24 steps to the measure (`training.metrics.grid`), exact is the share of the measures
that have every step right; measures that a predictor does not write are wrong. The rules and the n-gram model go on
from what is before the gap, measure by measure from their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from export.evaluation.predictors import NGRAM, NGramPredictor, learn, measure_content
from export.evaluation.results import Result
from export.evaluation.tasks import FIRST_MEASURE, Content, PartOfPiece, tunes
from inference.completion import GENERATED_TOKENS, decoded_measures
from inference.decode import next_measures
from inference.engine import Engine
from notation.score import Barline, KeySignature, Measure, Score
from notation.site import CompletionSite
from notation.tokens.decode import decode_segment
from notation.tokens.grammar import Grammar
from notation.tokens.prompt import make_prompt
from training.dataset.build import Dataset
from training.metrics.baselines import Rule
from training.metrics.grid import STEPS, grid, hits

N_GAP = 4
_N_ASKED = 2
_END = Barline("final")
_LEAST = FIRST_MEASURE + N_GAP + 2
"""Measures of a tune at least: two follow the gap."""


@dataclass(frozen=True)
class Gap:
    """Measures `start` to `start + n` of a tune, which are to be written.

    Attributes:
        source: the tune.
        score: all of it, the gap included.
        contents: what it plays, measure by measure.
        start, n: where the gap is; what follows it, if anything, is known if `infilled`.
    """

    source: PartOfPiece
    score: Score
    contents: Sequence[Content]
    start: int
    n: int
    infilled: bool

    @property
    def measures(self) -> Sequence[Measure]:
        """The measures that are to be written, as they were."""
        return self.score.parts[0].measures[self.start : self.start + self.n]

    @property
    def truth(self) -> Sequence[Content]:
        """What they play."""
        return self.contents[self.start : self.start + self.n]

    @property
    def history(self) -> Sequence[Content]:
        """What the measures before play."""
        return self.contents[: self.start]

    def site(self, written: Sequence[Measure] = ()) -> CompletionSite:
        """The cursor where the gap is, behind measures that are written in it already."""
        part, here = self.score.parts[0], self.measures[0]
        after = part.measures[self.start + self.n :] if self.infilled else ()
        measures = (*part.measures[: self.start], *written, *after)
        return CompletionSite(
            language="abc" if part.staves == 1 else "musicxml",
            offset=0,
            score=replace(self.score, parts=(replace(part, measures=measures),)),
            part=0,
            measure=self.start + len(written),
            time=here.time,
            key=here.key,
            inserted=self.infilled,
            remaining=here.time.duration,
            whole_part=part.staves > 1,
        )


Filler: TypeAlias = Callable[[Gap], Sequence[Content]]
"""Writes the measures of a gap; fewer if it cannot."""


def gaps(dataset: Dataset, split: str, genre: str, limit: int | None, seed: int) -> list[Gap]:
    """A gap in the middle of each tune of a genre that has room for one."""
    found: list[Gap] = []
    for source in tunes(dataset, split, genre, _LEAST, None, seed):
        if len(found) == limit:
            break
        score = source.score()
        start = _middle(score.parts[0].measures)
        if start is not None:
            found.append(Gap(source, score, source.contents(), start, N_GAP, infilled=True))
    return found


def _middle(measures: Sequence[Measure]) -> int | None:
    """The start nearest to the middle of a piece of `N_GAP` whole measures in one section and metre."""
    places = range(FIRST_MEASURE, len(measures) - N_GAP - 1)
    middle = (len(measures) - N_GAP) / 2
    fitting = (start for start in places if _is_plain(measures[start - 1 : start + N_GAP]))
    return min(fitting, key=lambda start: abs(start - middle), default=None)


def _is_plain(measures: Sequence[Measure]) -> bool:
    """Whether measures, the one before a gap first, have one metre and key, and no section ends before the last."""
    inside = measures[1:]
    return all(
        one.is_full and one.time.duration is not None and (one.time, one.key) == (measures[0].time, measures[0].key)
        for one in inside
    ) and not any(
        (one.barline is not None and one.barline.ends_section) or other.repeat_start or other.ending
        for one, other in zip(measures, inside, strict=False)
    )


def fill_with_model(engine: Engine, temperature: float = 0, seed: int = 0) -> Filler:
    """What a model writes; at temperature 0 the likeliest."""
    return lambda gap: [content for content, _ in write_with_model(engine, gap, temperature, seed)]


def write_with_model(
    engine: Engine, gap: Gap, temperature: float = 0, seed: int = 0
) -> Iterator[tuple[Content, Measure]]:
    """The measures that a composer gets who takes every suggestion of a model; it may end the piece too soon.

    Two measures are asked for and one is taken, so that its notes can be tied over the barline; of a model that has too
    little room, one.
    """
    written: list[Measure] = []
    most = max(1, min(_N_ASKED, engine.max_length // (2 * GENERATED_TOKENS)))
    while len(written) < gap.n:
        n = min(most, gap.n - len(written))
        prompt = make_prompt(gap.site(written), engine.max_length - n * GENERATED_TOKENS)
        candidates = (
            next_measures(engine, prompt, n, temperature=temperature, seed=seed + len(written)) if prompt else []
        )
        if prompt is None or not candidates:
            return
        written.append(decoded_measures(prompt, candidates[0])[0])
        yield measure_content(candidates[0].measures[0], 0), written[-1]
        if written[-1].barline == _END and not gap.infilled:
            return


def fill_with_rule(rule: Rule[Content]) -> Filler:
    """A rule, each measure from its own before."""

    def fill(gap: Gap) -> Sequence[Content]:
        history = list(gap.history)
        for _ in range(gap.n):
            history.append(rule(history))
        return history[len(gap.history) :]

    return fill


def fill_with_ngram(model: NGramPredictor) -> Filler:
    """An n-gram model's likeliest measures."""
    return lambda gap: model.write(gap.history, grammar_of(gap), gap.n)


def grammar_of(gap: Gap) -> Grammar:
    """The grammar where a gap begins.

    Raises:
        ValueError: nothing can be written there: a fault of how gaps are chosen.
    """
    prompt = make_prompt(gap.site(), GENERATED_TOKENS)
    if prompt is None:
        raise ValueError(f"no music can be written at measure {gap.start} of {gap.source.id}.")
    return prompt.grammar


def evaluate_infill(
    dataset: Dataset,
    fillers: Mapping[str, Filler],
    *,
    split: str,
    genre: str,
    limit: int | None,
    seed: int,
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, Result]:
    """Fill gaps, the rules and the n-gram model beside the fillers given; empty if no tune has room for a gap."""
    found = gaps(dataset, split, genre, limit, seed)
    if not found:
        return {}
    learned = learn(dataset, genre)
    rules = {name: fill_with_rule(rule) for name, rule in learned.rules.items()}
    chosen = {**rules, NGRAM: fill_with_ngram(learned.ngram), **fillers}
    results = {name: Result() for name in chosen}
    for done, gap in enumerate(found, start=1):
        for name, fill in chosen.items():
            results[name].add(gap.source.cluster, (), _ratios(gap, fill(gap)))
        progress(done)
    return results


def _ratios(gap: Gap, written: Sequence[Content]) -> dict[str, tuple[float, float]]:
    right = [
        hits(_grid(written[index], gap), _grid(truth, gap)) if index < len(written) else 0
        for index, truth in enumerate(gap.truth)
    ]
    return {"token accuracy": (sum(right), STEPS * gap.n), "exact": (right.count(STEPS), gap.n)}


def _grid(content: Content, gap: Gap) -> list[object]:
    length = gap.measures[0].time.duration
    assert length is not None  # gaps are chosen so
    ids = dict(content).get((1, 1), ())
    return [*grid(decode_segment(ids, KeySignature(), length=length), length)]
