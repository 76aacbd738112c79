"""The stopwatch: everything about a bundle that is timed within one process.

Each function gives figures with what they leave out. What a user waits for (`suggestions`) goes through the same
completer as the server, on real documents: while typing, when the model has read the document up to a note or a word
before, and after a jump, when it last read something else. What explains it (`prefill`, `steps`) runs on random tokens,
whose cost is that of any others.

Times are wall-clock. Pauses of the garbage collector are part of them, as they are for a user.
"""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from export.bench.documents import KINDS, Site
from export.bench.rows import Measurement, summarise

if TYPE_CHECKING:
    from inference.completion import Completer, CompletionOptions
    from inference.engine import Engine

STEPS = 16
"""Steps that are timed one after another from each context."""
MANY_MEASURES = 4
_WARM_UP = 3

_STEP_LEAVES_OUT = "the choice of the token, the grammar, the document"
_PREFILL_LEAVES_OUT = "reading the document; a context that shares nothing with the last"
_SUGGESTION_LEAVES_OUT = (
    "the editor, the protocol, the pause before asking, loading; the model has read what is a note earlier"
)
_JUMP_LEAVES_OUT = "the editor, the protocol, the pause before asking, loading; the model last read another place"
_STOP_LEAVES_OUT = "the protocol, telling the thread that works; nothing had been read, 4 measures were asked for"
_LOAD_LEAVES_OUT = "starting Python, imports; the file may be in the system's cache"
_FIRST_LEAVES_OUT = "the editor, the protocol; the file may be in the system's cache"
_MEMORY_LEAVES_OUT = "the graphics card's memory, the editor, the server"


@dataclass(frozen=True, slots=True)
class Timed:
    """One suggestion, timed.

    Attributes:
        site: where it was asked for.
        ms: from the text to the answer, parsing included.
        measures: of the first suggestion; 0 if there was none.
        text: of the first suggestion.
        stages: milliseconds by stage.
    """

    site: Site
    ms: float
    measures: int
    text: str
    stages: dict[str, float]


def random_ids(vocabulary_size: int, n: int) -> list[int]:
    """The same `n` tokens every time."""
    import numpy as np

    return [int(each) for each in np.random.default_rng(0).integers(vocabulary_size, size=n)]


def fitting_contexts(contexts: Sequence[int], max_length: int) -> list[int]:
    """The context lengths that leave room for the steps that are timed, each once; longer ones are cut to that.

    Raises:
        ValueError: the model has no room for any.
    """
    room = max_length - STEPS
    if room < 1:
        raise ValueError(f"a model with room for {max_length} tokens is too small: it takes {STEPS + 1} to time it.")
    return sorted({min(context, room) for context in contexts})


def prefill(engine: Engine, contexts: Sequence[int], repeats: int) -> list[Measurement]:
    """Tokens a second while a whole new context is read."""
    figures = []
    for context in contexts:
        ids = random_ids(engine.vocabulary_size, context)
        rates = []
        for _ in range(repeats + 1):
            engine.reset()
            began = time.perf_counter()
            engine.prefill(ids)
            rates.append(context / (time.perf_counter() - began))
        figures.append(
            summarise(
                f"prefill of {context}",
                "tokens/s",
                rates[1:],
                better="higher",
                context=context,
                leaves_out=_PREFILL_LEAVES_OUT,
            )
        )
    return figures


def steps(engine: Engine, contexts: Sequence[int], batch: int, repeats: int) -> list[Measurement]:
    """The time of one step of `batch` rows after contexts of several lengths."""
    figures = []
    for context in contexts:
        ids = random_ids(engine.vocabulary_size, context + STEPS)
        samples = []
        for _ in range(repeats + 1):
            engine.prefill(ids[:context])
            rows = engine.fork(batch)
            for token in ids[context:]:
                began = time.perf_counter()
                rows.step([token] * batch)
                samples.append(1000 * (time.perf_counter() - began))
        figures.append(
            summarise(
                f"step at {context}",
                "ms",
                samples[STEPS:],
                tail=True,
                context=context,
                leaves_out=_STEP_LEAVES_OUT,
            )
        )
    return figures


def suggest(completer: Completer, site: Site, options: CompletionOptions) -> Timed:
    """Ask for suggestions at a site."""
    from notation.language import language

    known = language(site.language)
    began = time.perf_counter()
    document = known.parse(site.text)
    parsed = time.perf_counter()
    result = completer.complete(document, known, site.offset, options)
    ms = 1000 * (time.perf_counter() - began)
    stages = {stage: taken for stage, taken in result.timing_ms.items() if stage != "total"}
    stages["parse"] = stages.get("parse", 0.0) + 1000 * (parsed - began)
    first = result.suggestions[0] if result.suggestions else None
    return Timed(site, ms, first.measures if first else 0, first.text if first else "", stages)


def suggest_while_typing(completer: Completer, site: Site, options: CompletionOptions, quiet: float = 0.0) -> Timed:
    """Ask for suggestions at a site after asking a note or a word earlier, as happens while somebody types.

    Args:
        completer: the loaded model.
        site: where to ask.
        options: what to ask for.
        quiet: seconds in which nothing happens in between.
    """
    from notation.language import language

    known = language(site.language)
    text, offset = site.earlier()
    completer.complete(known.parse(text), known, offset, options)
    time.sleep(quiet)
    return suggest(completer, site, options)


def warm_up(completer: Completer, sites: Sequence[Site]) -> None:
    """Let caches fill before anything is timed."""
    from inference.completion import CompletionOptions

    for site in sites[:_WARM_UP]:
        suggest(completer, site, CompletionOptions())


def suggestions(completer: Completer, sites: Sequence[Site], batch: int) -> list[Measurement]:
    """Whole suggestions of one measure and of several, by kind of place and of piece.

    Args:
        completer: the loaded model.
        sites: where to ask, in the order of typing.
        batch: how many candidates to ask for.
    """
    from inference.completion import CompletionOptions

    warm_up(completer, sites)
    one_measure = CompletionOptions(candidates=batch)
    mixed = random.Random(0).sample(sites, len(sites))
    jumps = [suggest(completer, site, one_measure).ms for site in mixed]
    typed = [suggest_while_typing(completer, site, one_measure) for site in sites]
    return [
        _whole("suggestion", [one.ms for one in typed]),
        *_by_group(typed),
        *_by_stage(typed),
        summarise("suggestion after a jump", "ms", jumps, tail=True, leaves_out=_JUMP_LEAVES_OUT),
        *_many_measures(completer, [site for site in sites if site.kind == KINDS[0]], batch),
        answered(typed, "answered"),
    ]


def longest_wait(completer: Completer, site: Site) -> float:
    """Milliseconds that a cancel may have to wait for while a suggestion of several measures is made from nothing.

    That is the longest time between two moments at which the flag is looked at, parsing and verification included.
    """
    from inference.completion import CompletionOptions
    from notation.language import language

    completer.reset()
    known = language(site.language)
    looked = [time.perf_counter()]

    def look() -> bool:
        looked.append(time.perf_counter())
        return False

    completer.complete(known.parse(site.text), known, site.offset, CompletionOptions(measures=MANY_MEASURES), look)
    looked.append(time.perf_counter())
    return 1000 * max(after - before for before, after in pairwise(looked))


def stops(completer: Completer, sites: Sequence[Site]) -> Measurement:
    """How long the model may go on, at worst, after nobody wants its answer any more."""
    waits = [longest_wait(completer, site) for site in sites]
    return summarise("longest wait after a cancel", "ms", waits, tail=True, leaves_out=_STOP_LEAVES_OUT)


def answered(timed: Sequence[Timed], test: str) -> Measurement:
    """At how many of the sites a suggestion came that held."""
    share = 100 * sum(1 for one in timed if one.text) / len(timed)
    return summarise(test, "%", [share], better="higher", leaves_out="whether the music is good: see quality")


def cold_load(bundle: Path, provider: str, threads: int, started: float, site: Site | None) -> list[Measurement]:
    """The time to load a bundle, and from starting the process to the first suggestion.

    To be called once in a process, before anything else.

    Args:
        bundle: its folder.
        provider: what runs it.
        threads: within an operator.
        started: when the process was started, on the clock of `time.monotonic`.
        site: of the first suggestion; None leaves it out.

    Raises:
        GhostnoteError: the model cannot be used there.
    """
    from inference.bundle import load_bundle
    from inference.completion import Completer, CompletionOptions

    began = time.perf_counter()
    completer = Completer(load_bundle(bundle), provider, threads)
    demand(provider, completer)
    load = 1000 * (time.perf_counter() - began)
    figures = [summarise("cold load", "ms", [load], leaves_out=_LOAD_LEAVES_OUT)]
    if site is not None:
        suggest(completer, site, CompletionOptions())
        first = 1000 * (time.monotonic() - started)
        figures.append(summarise("first suggestion", "ms", [first], leaves_out=_FIRST_LEAVES_OUT))
    return figures


def demand(provider: str, running: Engine | Completer) -> None:
    """Make sure that a model runs where it is said to run.

    Raises:
        ProviderError: the engine fell back on another provider.
    """
    from inference.errors import ProviderError

    if running.provider != provider:
        raise ProviderError(f"asked for {provider}, the model runs on {running.provider}. See `ghostnote doctor`.")


def size_on_disk(bundle: Path) -> Measurement:
    """All files of a bundle."""
    size = sum(file.stat().st_size for file in bundle.iterdir() if file.is_file()) / 1e6
    return summarise("size on disk", "MB", [size])


def memory(megabytes: float | None, test: str = "peak memory") -> list[Measurement]:
    """A process's memory as a figure; none where the system does not say."""
    return [] if megabytes is None else [summarise(test, "MB", [megabytes], leaves_out=_MEMORY_LEAVES_OUT)]


def _whole(test: str, samples: Sequence[float]) -> Measurement:
    return summarise(test, "ms", samples, tail=True, leaves_out=_SUGGESTION_LEAVES_OUT)


def _many_measures(completer: Completer, sites: Sequence[Site], batch: int) -> list[Measurement]:
    from inference.completion import CompletionOptions

    options = CompletionOptions(measures=MANY_MEASURES, candidates=batch)
    timed = [suggest_while_typing(completer, site, options) for site in sites]
    rates = [1000 * one.measures / one.ms for one in timed if one.measures]
    if not rates:
        return []
    return [
        _whole(f"suggestion of {MANY_MEASURES} measures", [one.ms for one in timed]),
        summarise("measures", "measures/s", rates, better="higher", leaves_out=_SUGGESTION_LEAVES_OUT),
    ]


def _by_group(timed: Sequence[Timed]) -> list[Measurement]:
    groups: dict[str, list[float]] = defaultdict(list)
    for one in timed:
        voices = "1 voice" if one.site.voices == 1 else "voices"
        groups[f"in {one.site.language}, {voices}, {one.site.kind}"].append(one.ms)
    return [_whole(name, samples) for name, samples in sorted(groups.items())]


def _by_stage(timed: Sequence[Timed]) -> list[Measurement]:
    leaves_out = "the other stages of the same suggestions"
    return [
        summarise(f"stage: {stage}", "ms", [one.stages[stage] for one in timed], leaves_out=leaves_out)
        for stage in timed[0].stages
    ]
