"""How fast does the decode loop write, beside other programs that hold the same weights?

Real documents are cut at a cursor. Our loop answers, grammar, echoes, references and choice included; each peer reads
the same prompt and greedily writes as many tokens as the answer has. Before anything is timed, every peer's logits are
compared with those of the network in torch. The figures:

- *a token after the prompt*: writing alone, by token. Without drafts every token that is a choice takes a step of the
  model; with drafts, measures that come again (references and echoes) are read by the model in one step, and so is the
  barline that is likely to come, with what begins the next measure.
- *a suggestion*: ours from the text to the verified answer, parsing included; a peer's reading and writing. After a
  jump the model has read another place before; while typing, this one up to a note or a word before.
- *a choice*: what may come next and which of it is best, against the place of the largest of all logits.
- *tokens that are known*: read in one run, as measures that come again are, against a step for each. No draft can save
  more.

    python -m benchmarks.peers.decoding --checkpoint model.pt --json
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from benchmarks.peers.pairing import AsJson, Benchmark, Comparison, Core, Out, compare, report, seconds, use_one_core
from benchmarks.peers.parsing import Data, Languages, Listed, documents, paths_given
from benchmarks.peers.weights import LLAMA_CPP, TRANSFORMERS, Decoder, Written, decoders, network, worst_difference
from export.bench.documents import Piece, Site, find_sites
from export.bench.measure import random_ids
from export.bundle import export_bundle
from inference.bundle import Bundle, load_bundle
from inference.choices import choices, likeliest
from inference.completion import GENERATED_TOKENS, Completer, CompletionOptions
from inference.decode import Candidate, next_measures
from inference.engine import Batch, Engine
from notation.language import language
from notation.tokens import vocabulary as v
from notation.tokens.echo import Echo, Reprise
from notation.tokens.grammar import Grammar, Phase
from notation.tokens.prompt import Prompt, make_prompt
from training.models.checkpoint import Checkpoint, load_checkpoint

Logits = NDArray[np.float32]
OURS = "ghostnote, int8"
MANY_MEASURES = 4
WARM_UP = 1
"""Sites that are done before anything counts."""
MOST_DIFFERENT = {"fp32": 1e-3, "int8": 0.5, "Q8_0": 0.5}
"""A peer whose logits are further from the network's than this, in their standard deviations, computes another one."""
CHECKED = 4
"""Prompts that this is looked at on."""
DRAFTS = (2, 4, 8)
"""Lengths of drafts."""
CONTEXT = 300
"""Tokens that are read before a draft."""
RUNS = 20
"""How often a draft is run."""
ELSEWHERE = "X:1\nL:1/8\nM:3/4\nK:Eb\nGA Bc de|f2 d2 B2|"
"""What the model reads before a jump."""
PEERS_LEAVE_OUT = "of the peers everything but the model: documents, token ids, grammar, printing"


class WithoutDrafts(Grammar):
    """A grammar in which no earlier measure comes again, and nothing is foreseen."""

    @classmethod
    def of(cls, grammar: Grammar) -> WithoutDrafts:
        """Standing where another grammar stands."""
        twin = copy(grammar)
        return cls(**{each.name: getattr(twin, each.name) for each in fields(Grammar)})

    def foreseen(self, *, repeats: bool) -> tuple[int, ...]:
        """Nothing."""
        return ()

    def references(self) -> dict[int, tuple[int, ...]]:
        """None."""
        return {}

    def echo(self) -> Echo | None:
        """None."""
        return None

    def reprises(self, begins: tuple[int, ...] = ()) -> list[Reprise]:
        """None."""
        return []


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked, and how many tokens the answer has."""

    site: Site
    prompt: Prompt
    n_measures: int
    n_tokens: int


class BareEngine:
    """Our engine without grammar or choice: the step of the model and the place of the largest logit."""

    def __init__(self, engine: Engine) -> None:
        """Use an engine."""
        self._engine = engine

    def logits(self, prompt: Sequence[int]) -> Logits:
        """See `Decoder`."""
        return self._engine.prefill(prompt)

    def write(self, prompt: Sequence[int], n: int) -> Written:
        """See `Decoder`."""
        self._engine.reset()
        began = time.process_time()
        logits = self._engine.prefill(prompt)
        read = time.process_time()
        ids = [int(logits.argmax())]
        batch = self._engine.fork(1)
        while len(ids) < n:
            ids.append(int(batch.step(ids[-1:])[0].argmax()))
        return Written(ids, read - began, time.process_time() - read)


# Cases


def find_prompts(paths: Sequence[Path], languages: Sequence[str], n: int, seed: int) -> list[Site]:
    """`n` sites in documents drawn from files and folders."""
    pieces = [
        Piece(f"{name} {number}", name, text)
        for name in languages
        for number, text in enumerate(islice(documents(paths or None, name, seed), n))
    ]
    if not pieces:
        raise typer.BadParameter("no documents: name files or folders with --data")
    sites = find_sites(pieces, n)
    return random.Random(seed).sample(sites, len(sites))


def prompt_at(site: Site, max_tokens: int) -> Prompt | None:
    """What the model reads at a site."""
    notation = language(site.language)
    place = notation.completion_site(notation.parse(site.text), site.offset)
    return make_prompt(place, max_tokens) if place else None


def cases(engine: Engine, sites: Sequence[Site], n_measures: int, *, drafts: bool, fresh: bool) -> list[Case]:
    """The sites at which there is an answer.

    Args:
        engine: what answers.
        sites: where.
        n_measures: how many measures an answer has.
        drafts: whether earlier measures may come again.
        fresh: only sites at which nothing of the measure is typed, so that the whole prompt is read before.
    """
    found = []
    for site in sites:
        prompt = prompt_at(site, engine.max_length - GENERATED_TOKENS)
        if prompt is None or (fresh and prompt.n_typed):
            continue
        if not drafts:
            prompt = replace(prompt, grammar=WithoutDrafts.of(prompt.grammar), fresh=None)
        answers = next_measures(engine, prompt, n_measures)
        if answers:
            found.append(Case(site, prompt, n_measures, count_tokens(answers[0])))
    if len(found) <= WARM_UP:
        raise typer.BadParameter(f"only {len(found)} places have an answer: ask at more with --sites, or name --data")
    return found


def count_tokens(answer: Candidate) -> int:
    """The tokens of an answer; those that name a part or a voice are not counted."""
    return sum(len(one.head) + sum(map(len, one.voices.values())) + 1 for one in answer.measures)


# Sides


def our_token(engine: Engine, case: Case) -> float:
    """Our time to write after the prompt, by token."""
    engine.reset()
    engine.prefill(case.prompt.ids)
    return seconds(lambda: next_measures(engine, case.prompt, case.n_measures)) / case.n_tokens


def peer_token(decoder: Decoder, case: Case) -> float:
    """A peer's time to write as many tokens, by token."""
    return decoder.write(case.prompt.ids, case.n_tokens).writing / case.n_tokens


def our_suggestion(completer: Completer, case: Case, *, typing: bool) -> float:
    """Our time from the text to the verified answer."""
    options = CompletionOptions(measures=case.n_measures)
    notation = language(case.site.language)
    text, offset = case.site.earlier() if typing else (ELSEWHERE, len(ELSEWHERE))
    known = notation if typing else language("abc")
    completer.reset()
    completer.complete(known.parse(text), known, offset, options)
    return seconds(lambda: completer.complete(notation.parse(case.site.text), notation, case.site.offset, options))


def peer_suggestion(decoder: Decoder, case: Case) -> float:
    """A peer's time to read the prompt and to write as many tokens."""
    written = decoder.write(case.prompt.ids, case.n_tokens)
    return written.reading + written.writing


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a token is to be chosen."""

    logits: Logits
    grammar: Grammar


def standings(engine: Engine, case: Case) -> list[Standing]:
    """Every place of an answer of one measure at which a token is chosen, no measure coming again."""
    grammar = case.prompt.grammar.copy()
    logits = engine.prefill(case.prompt.ids)
    batch = engine.fork(1)
    found: list[Standing] = []
    while grammar.phase is not Phase.MEASURE and len(found) < v.N_REFERENCES * 10:
        found.append(Standing(logits, grammar.copy()))
        token_id = next(one.ids[0] for one in choices(logits, grammar) if one.reference is None)
        grammar.advance(token_id)
        logits = batch.step([token_id])[0]
    return found


# The benchmark


class Bench:
    """Everything loaded."""

    def __init__(self, bundle: Bundle, peers: dict[str, Decoder], sites: Sequence[Site], progress: Progress) -> None:
        """Load our side.

        Args:
            bundle: the model as we run it.
            peers: the others.
            sites: where it is asked; the first `WARM_UP` do not count.
            progress: shows how far it is.
        """
        self._engine = Engine(bundle, "cpu", 1)
        self._completer = Completer(bundle, "cpu", 1)
        self._peers = peers
        self._sites = sites
        self._progress = progress

    def tokens(self, *, drafts: bool) -> list[Comparison]:
        """A token after the prompt."""
        asked = cases(self._engine, self._sites, MANY_MEASURES, drafts=drafts, fresh=True)
        peers: dict[str, Decoder] = {**self._peers, "bare engine, argmax": BareEngine(self._engine)}
        return compare(
            f"a token after the prompt, {'with' if drafts else 'without'} drafts",
            asked[WARM_UP:],
            (OURS, lambda case: our_token(self._engine, case)),
            {name: partial(peer_token, peer) for name, peer in peers.items()},
            warm_up=asked[:WARM_UP],
            goals={LLAMA_CPP: 0.5 if drafts else 1.0},
            leaves_out="reading the prompt; the document; verification",
            progress=self._advance(f"tokens, {'with' if drafts else 'without'} drafts", len(asked) - WARM_UP),
        )

    def suggestions(self, n_measures: int, *, typing: bool) -> list[Comparison]:
        """A whole suggestion."""
        asked = cases(self._engine, self._sites, n_measures, drafts=True, fresh=False)
        what = f"a suggestion of {n_measures}, {'while typing' if typing else 'after a jump'}"
        return compare(
            what,
            asked[WARM_UP:],
            (OURS, lambda case: our_suggestion(self._completer, case, typing=typing)),
            {name: partial(peer_suggestion, peer) for name, peer in self._peers.items()},
            warm_up=asked[:WARM_UP],
            goals={TRANSFORMERS: 0.1},
            leaves_out=PEERS_LEAVE_OUT,
            progress=self._advance(what, len(asked) - WARM_UP),
        )

    def choosing(self) -> list[Comparison]:
        """A choice against an argmax."""
        asked = cases(self._engine, self._sites, 1, drafts=True, fresh=True)
        every = [standing for case in asked for standing in standings(self._engine, case)]
        return compare(
            "a choice",
            every,
            (
                "grammar, echo and ranking",
                lambda at: seconds(lambda: likeliest(at.logits, at.grammar, at.grammar.legal_ids())),
            ),
            {"argmax": lambda at: seconds(at.logits.argmax)},
            warm_up=every,
            leaves_out="the step of the model; caches of masks are warm",
        )

    def several(self, n: int) -> list[Comparison]:
        """Tokens that are known, in one run, against a step for each: what a draft that turns out right can save."""
        ids = random_ids(self._engine.vocabulary_size, CONTEXT + n)

        def after_context(write: Callable[[Batch], object]) -> float:
            self._engine.prefill(ids[:CONTEXT])
            batch = self._engine.fork(1)
            return seconds(lambda: write(batch))

        return compare(
            f"{n} tokens that are known",
            range(RUNS),
            ("one run", lambda _: after_context(lambda batch: batch.feed(0, ids[CONTEXT:]))),
            {"steps": lambda _: after_context(lambda batch: [batch.step([token]) for token in ids[CONTEXT:]])},
            warm_up=[0],
            leaves_out="the grammar; of drafts that turn out wrong, everything",
        )

    def _advance(self, what: str, total: int) -> AdvanceTask:
        return AdvanceTask(self._progress, what, total)


class AdvanceTask:
    """Moves a progress bar on by one with every call."""

    def __init__(self, progress: Progress, what: str, total: int) -> None:
        """A new bar."""
        self._progress = progress
        self._task = progress.add_task(what, total=total)

    def __call__(self) -> None:
        """One more is done."""
        self._progress.advance(self._task)


def check(peers: dict[str, Decoder], checkpoint: Checkpoint, prompts: Sequence[Sequence[int]]) -> list[str]:
    """Notes on how near the peers' logits are to the network's.

    Raises:
        ValueError: one of them computes something else.
    """
    notes = []
    for name, peer in peers.items():
        worst, agreed = worst_difference(peer, network(checkpoint), prompts)
        most = MOST_DIFFERENT[name.rpartition(", ")[2]]
        if worst > most:
            raise ValueError(
                f"the logits of {name} are up to {worst:.2g} standard deviations from the network's, more than {most}: "
                "it holds other weights, or this script hands them over wrongly."
            )
        notes.append(
            f"{name}: logits at most {worst:.2g} standard deviations from those of the network in torch, the likeliest "
            f"token the same after {100 * agreed:.0f} % of {len(prompts)} prompts."
        )
    return notes


def main(
    checkpoint: Annotated[Path, typer.Option(help="a checkpoint of architecture llama")],
    data: Data = None,
    listed: Listed = None,
    languages: Languages = "abc",
    n: Annotated[int, typer.Option("--sites", min=WARM_UP + 1, help="places to ask at")] = 60,
    seed: int = 0,
    core: Core = None,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Time our decode loop beside llama.cpp, onnxruntime-genai, transformers and eager torch."""
    use_one_core(core)
    torch.set_num_threads(1)
    loaded = load_checkpoint(checkpoint)
    with TemporaryDirectory() as folder, Progress(console=Console(stderr=True)) as progress:
        bundle_folder = Path(folder) / "bundle"
        export_bundle(loaded, bundle_folder)
        bundle = load_bundle(bundle_folder, expected_vocabulary_hash=v.VOCABULARY_HASH)
        peers, notes = decoders(loaded, bundle.manifest.max_length, Path(folder))
        sites = find_prompts(paths_given(data, listed), languages.split(","), n, seed)
        prompts = [prompt_at(site, bundle.manifest.max_length - GENERATED_TOKENS) for site in sites[:CHECKED]]
        bare: dict[str, Decoder] = {OURS: BareEngine(Engine(bundle, "cpu", 1))}
        notes += check({**bare, **peers}, loaded, [one.ids for one in prompts if one])
        bench = Bench(bundle, peers, sites, progress)
        found = [*bench.tokens(drafts=False), *bench.tokens(drafts=True)]
        for n_measures in (1, MANY_MEASURES):
            found += bench.suggestions(n_measures, typing=False)
            found += bench.suggestions(n_measures, typing=True)
        found += bench.choosing()
        found += [one for n in DRAFTS for one in bench.several(n)]
    parameters = sum(weight.numel() for weight in loaded.model.parameters())
    benchmark = Benchmark(
        "decoding",
        "How fast does the decode loop write?",
        f"The same {parameters / 1e6:.1f} million weights in every program, one thread; {len(sites)} cursors in "
        f"{'documents given' if data or listed else 'scores packaged with music21'} (seed {seed}); tokens are counted "
        f"in answers of {MANY_MEASURES} measures.",
        found,
        ("torch", "llama-cpp-python", "onnxruntime-genai", "transformers"),
        notes,
    )
    report(benchmark, "python -m benchmarks.peers.decoding --checkpoint model.pt", as_json, out)


if __name__ == "__main__":
    typer.run(main)
