"""What predicts: a model, simple rules, and an n-gram model.

The model works as it does in an editor: through the prompt, the grammar and the decode loop, with as many rows as the
server decodes for five candidates. The rules and the n-gram model have learned the training pieces of the genre.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import numpy as np

from export.bundle import export_bundle
from export.evaluation.documents import is_valid
from export.evaluation.reading import UNWRITABLE, ModelReader, NGramReader, head_nats, read_ratios, true_head
from export.evaluation.tasks import Content, Task, parts_of, site_of
from inference.bundle import find_bundle, load_bundle
from inference.completion import GENERATED_TOKENS, n_rows
from inference.decode import Candidate, DecodedMeasure, next_measures
from inference.engine import Engine
from notation.tokens import vocabulary as v
from notation.tokens.grammar import Grammar, Phase
from notation.tokens.prompt import Prompt, make_prompt
from notation.tokens.vocabulary import VOCABULARY_HASH
from training.dataset.build import Dataset
from training.metrics.baselines import Rule, SuffixMatch, measure_back
from training.metrics.ngram import NGram
from training.models.checkpoint import load_checkpoints

N_CANDIDATES = 5
ORDER = 6
NGRAM = f"{ORDER}-gram"
"""What the n-gram model is called in tables."""
_N_PARTS_LEARNED = 4000
"""Training parts that the suffix rules learn, at most."""
_N_TOKENS_LEARNED = 1_000_000
"""Training tokens that the n-gram model learns, at most."""
_MOST_TOKENS = 400
"""Of a measure that an n-gram model writes."""


@dataclass(frozen=True)
class Prediction:
    """What was predicted for one measure.

    Attributes:
        candidates: different contents, the best first; empty if there is none.
        ratios: what it adds to figures that only its predictor knows, such as bits a note.
    """

    candidates: Sequence[Content]
    ratios: Mapping[str, tuple[float, float]] = field(default_factory=dict)


Predictor: TypeAlias = Callable[[Task], Prediction]


def rule_predictor(rule: Rule[Content], others: Sequence[Rule[Content]] = ()) -> Predictor:
    """A rule as a predictor; what other rules say are its further candidates."""

    def predict(task: Task) -> Prediction:
        found = dict.fromkeys(each(task.history) for each in (rule, *others))
        return Prediction([*found][:N_CANDIDATES])

    return predict


@dataclass(frozen=True)
class Learned:
    """What was learned of the training pieces of a genre.

    Attributes:
        rules: by name.
        ngram: the n-gram model.
    """

    rules: Mapping[str, Rule[Content]]
    ngram: NGramPredictor


@lru_cache(maxsize=1)
def learn(dataset: Dataset, genre: str) -> Learned:
    """Learn the baselines; those of the genre learned last are kept.

    Raises:
        ValueError: there is no such genre.
    """
    parts = parts_of(dataset, "train", genre)
    np.random.default_rng(0).shuffle(parts)
    learned = [part.contents() for part in parts[:_N_PARTS_LEARNED]]
    rules: dict[str, Rule[Content]] = {
        "previous": measure_back(1),
        "four back": measure_back(4),
        "suffix, else 8 back": SuffixMatch(learned),
        "suffix, else 4 back": SuffixMatch(learned, least=2, fallback=4),
    }
    return Learned(rules, NGramPredictor(_ngram_of(learned)))


def baselines(dataset: Dataset, genre: str) -> dict[str, Predictor]:
    """The rules and the n-gram model as predictors of the next measure."""
    learned = learn(dataset, genre)
    others: list[Rule[Content]] = [measure_back(distance) for distance in (4, 8, 1, 2, 16)]
    rules = {name: rule_predictor(rule, others) for name, rule in learned.rules.items()}
    return {**rules, NGRAM: learned.ngram}


def _ngram_of(learned: Sequence[Sequence[Content]]) -> NGram:
    """The n-gram model of parts, as many as make up `_N_TOKENS_LEARNED`."""
    sequences, left = [], _N_TOKENS_LEARNED
    for contents in learned:
        if left <= 0:
            break
        sequences.append(_stream(contents)[:left])
        left -= len(sequences[-1])
    return NGram(sequences, vocabulary_size=len(v.TOKENS), order=ORDER)


def _stream(contents: Sequence[Content]) -> list[int]:
    """A part as one sequence of tokens, each measure ended by a plain barline."""
    ids: list[int] = []
    for content in contents:
        for (staff, number), tokens in content:
            ids += [] if (staff, number) == (1, 1) else [v.TOKEN_IDS[f"voice:{staff}.{number}"]]
            ids += tokens
        ids.append(v.BARLINE_IDS["|"])
    return ids


class NGramPredictor:
    """An n-gram model of the part's own tokens, held to the grammar; it writes the likeliest token each time."""

    def __init__(self, model: NGram) -> None:
        self._model = model

    def __call__(self, task: Task) -> Prediction:
        """One candidate, and what it thinks of the truth."""
        prompt = make_prompt(site_of(task), GENERATED_TOKENS)
        if prompt is None:
            return Prediction(())
        reader, grammar = self._reader(task.history), prompt.grammar
        head = true_head(grammar, task)
        ratios = UNWRITABLE
        if head is not None:
            nats = math.log(max(1, len(grammar.heads)))  # it has learned no heads: each is as likely
            ratios = read_ratios(reader, _after(grammar, head), task, nats)
        return Prediction(self.write(task.history, prompt.grammar, 1), ratios)

    def write(
        self, history: Sequence[Content], grammar: Grammar, n_measures: int, random: np.random.Generator | None = None
    ) -> list[Content]:
        """Measures that follow; fewer if one does not end.

        Args:
            history: the measures before.
            grammar: standing where the first is to be written; not changed.
            n_measures: how many to write.
            random: draws each token by its probability; None takes the likeliest.
        """
        grammar = grammar.copy()
        grammar = _after(grammar, grammar.heads[0] if grammar.heads else ())
        found: list[Content] = []
        while len(found) < n_measures:
            content = self._measure(self._reader([*history, *found]), grammar, random)
            if content is None:
                break
            found.append(content)
            if grammar.phase is Phase.MEASURE and len(found) < n_measures:
                following = max(0, grammar.number) % (v.N_MEASURE_NUMBERS - 1) + 1
                grammar.advance(v.TOKEN_IDS[f"m:{following}"])
        return found

    def _reader(self, history: Sequence[Content]) -> NGramReader:
        return NGramReader(self._model, _stream(history[-ORDER:]))

    @staticmethod
    def _measure(reader: NGramReader, grammar: Grammar, random: np.random.Generator | None) -> Content | None:
        """One measure, token by token, over which the grammar goes; None if it does not end, or there is no way on."""
        written: list[int] = []
        voices: dict[tuple[int, int], list[int]] = {}
        while len(written) < _MOST_TOKENS:
            options = reader.at_cursor(written, grammar)
            if not options:
                return None
            weights = np.exp([one.log_probability for one in options])
            place = 0 if random is None else int(random.choice(len(options), p=weights / weights.sum()))
            token = options[place].ids[0]
            grammar.advance(token)
            written.append(token)
            if grammar.phase is Phase.MEASURE:
                return tuple(sorted((voice, tuple(ids)) for voice, ids in voices.items()))
            if grammar.voice is not None and grammar.voice.ids:
                voices.setdefault(grammar.voice.id[1:], []).append(token)
        return None


class ModelPredictor:
    """Predicts with a model, as the server does."""

    def __init__(self, engine: Engine, *, others: bool = True) -> None:
        """Wrap an engine.

        Args:
            engine: the model.
            others: whether the model sees what the other parts play in the measure. Without, its first candidate is
                all there is.
        """
        self.engine = engine
        self._others = others

    def __call__(self, task: Task) -> Prediction:
        """The five likeliest measures, and what the model thinks of the truth."""
        prompt = self.prompt(task)
        if prompt is None:
            return Prediction(())
        if not self._others:
            return Prediction([measure_content(one, task.part) for one in self._decoded(prompt, 1)])
        found = self._decoded(prompt, n_rows(N_CANDIDATES))
        contents = dict.fromkeys(measure_content(one, task.part) for one in found)
        ratios = self._read(prompt, task)
        valid = is_valid(self.engine, task)
        if valid is not None:
            ratios["valid"] = (float(valid), 1.0)
        return Prediction([*contents][:N_CANDIDATES], ratios)

    def _read(self, prompt: Prompt, task: Task) -> dict[str, tuple[float, float]]:
        head = true_head(prompt.grammar, task)
        if head is None:
            return dict(UNWRITABLE)
        nats = head_nats(ModelReader(self.engine, prompt), prompt.grammar, head)
        begun = replace(prompt, ids=(*prompt.ids, *head), grammar=_after(prompt.grammar, head))
        return read_ratios(ModelReader(self.engine, begun), begun.grammar, task, nats)

    def prompt(self, task: Task) -> Prompt | None:
        """What the model reads; None if the measures before have no tokens."""
        return make_prompt(site_of(task, others=self._others), self.engine.max_length - GENERATED_TOKENS)

    def _decoded(self, prompt: Prompt, candidates: int) -> list[DecodedMeasure]:
        found: list[Candidate] = next_measures(self.engine, prompt, candidates=candidates)
        return [one.measures[0] for one in found]


def _after(grammar: Grammar, head: Sequence[int]) -> Grammar:
    """A copy of a grammar, after the head of a measure."""
    grammar = grammar.copy()
    for token in head:
        grammar.advance(token)
    return grammar


def measure_content(measure: DecodedMeasure, part: int) -> Content:
    """What a part plays in a measure that was decoded."""
    return tuple(
        sorted(((staff, number), ids) for (index, staff, number), ids in measure.voices.items() if index == part)
    )


def load_engine(
    bundle: str | Path | None, checkpoints: Sequence[Path] = (), threads: int = 1
) -> tuple[str, Engine] | None:
    """The model of a bundle or, if there is none, of checkpoints, with its name; None if there is neither.

    Args:
        bundle: its folder, or the name of one that is shipped or installed.
        checkpoints: files that `ghostnote train` wrote; of several the networks vote.
        threads: within an operator.

    Raises:
        OSError, ValueError: it cannot be read.
        BundleError, ProviderError: it cannot be run.
    """
    if bundle is not None:
        loaded = load_bundle(find_bundle(bundle), expected_vocabulary_hash=VOCABULARY_HASH)
        return loaded.manifest.name, Engine(loaded, threads=threads)
    if not checkpoints:
        return None
    with TemporaryDirectory() as folder:
        exported = Path(folder) / "model"
        export_bundle(load_checkpoints(checkpoints), exported, precision="fp32")
        return "model", Engine(load_bundle(exported, expected_vocabulary_hash=VOCABULARY_HASH), threads=threads)
