"""A document and a cursor in, suggestions out: the whole way, without an editor.

The language finds the site, the tokens make a prompt of it, the engine decodes, the language prints what came out, and
nothing is shown that has not been verified: the document with the suggestion in it is parsed again, must say exactly
the music that was decoded, and must have no diagnostic that it did not have before.

Used by the server and by the command line. Not thread safe: one worker owns a `Completer`.

Units: offsets in code points, times in milliseconds, scores in nats a choice.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from inference.bundle import Bundle, find_bundle, load_bundle
from inference.choices import read
from inference.decode import Candidate, DecodedMeasure, next_measures
from inference.engine import Engine
from inference.errors import Cancelled
from notation.language import Document, Language
from notation.score import Event, KeySignature, Measure, Voice
from notation.site import CompletionSite
from notation.source import Span, replaced
from notation.tokens import encode
from notation.tokens import vocabulary as v
from notation.tokens.decode import decode_segment
from notation.tokens.prompt import Prompt, make_prompt

GENERATED_TOKENS = 160
"""Room that is kept free after a prompt for what is written."""
SPARE = 2
"""Answers decoded for each candidate, where several are asked for."""
ATTEMPTS = 3
ENOUGH = 3
"""With so many different suggestions no further attempt is made."""
RETRY_TEMPERATURE = 0.8


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Text that may be inserted.

    Attributes:
        text: what to insert.
        offset: where, in code points.
        measures: how many measures it completes; a pickup that it begins with is not counted.
        score: log-probability a choice, in nats; higher is likelier.
        explanation: one sentence for people.
    """

    text: str
    offset: int
    measures: int
    score: float
    explanation: str


@dataclass(frozen=True, slots=True)
class CompletionOptions:
    """What is asked for.

    Attributes:
        measures: how many measures a suggestion has, the one at the cursor included unless it is a pickup.
        candidates: how many different suggestions.
        temperature: 0 for the likeliest, up to about 1.2 for variety.
        seed: of the drawing at temperatures above 0.
        deadline: on the clock of `time.monotonic`, in seconds; None for none.
    """

    measures: int = 1
    candidates: int = 1
    temperature: float = 0.0
    seed: int = 0
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class CompletionResult:
    """What came of a request. `site` is None where no music can be written."""

    suggestions: tuple[Suggestion, ...]
    site: CompletionSite | None
    timing_ms: dict[str, float]
    model: str
    provider: str


@dataclass
class _Clock:
    """Adds up how long each stage took."""

    stages: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(("parse", "prefill", "decode", "render", "verify"), 0.0)
    )
    last: float = field(default_factory=time.perf_counter)

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.stages[stage] += 1000 * (now - self.last)
        self.last = now

    def report(self) -> dict[str, float]:
        return {**self.stages, "total": sum(self.stages.values())}


def load_completer(model: str | None = None, provider: str = "auto", threads: int = 1) -> Completer:
    """Load a model by name or path, or the shipped one.

    Raises:
        GhostnoteError: it cannot be found, trusted or run; the message says why and what to do.
    """
    path = find_bundle(Path(model) if model else None)
    return Completer(load_bundle(path, expected_vocabulary_hash=v.VOCABULARY_HASH), provider, threads)


class Completer:
    """A loaded model that completes documents.

    Attributes:
        model: its name.
        provider: what runs it.
        message: why the provider is not the one asked for; empty if it is.
    """

    def __init__(self, bundle: Bundle, provider: str = "auto", threads: int = 1) -> None:
        """Load the model; see `Engine` for the arguments and errors."""
        self._engine = Engine(bundle, provider, threads)
        self.model = bundle.manifest.name
        self.provider = self._engine.provider
        self.message = self._engine.provider_message or ""
        self._max_prompt = self._engine.max_length - GENERATED_TOKENS

    def reset(self) -> None:
        """Forget what the model has read, as after loading."""
        self._engine.reset()

    def complete(
        self,
        document: Document,
        language: Language,
        offset: int,
        options: CompletionOptions = CompletionOptions(),
        cancelled: Callable[[], bool] = lambda: False,
    ) -> CompletionResult:
        """Suggest what comes next at an offset.

        Raises:
            Cancelled: `cancelled` said so; it is asked before every run of the model and before an answer is verified.
        """
        clock = _Clock()
        site = language.completion_site(document, offset)
        prompt = make_prompt(site, self._max_prompt) if site else None
        clock.lap("parse")
        suggestions: list[Suggestion] = []
        if site is not None and prompt is not None:
            for attempt in range(ATTEMPTS):
                wanted = _variation(options, attempt)
                for candidate in self._decode(prompt, site, wanted, cancelled, clock):
                    if cancelled():
                        raise Cancelled("stopped before an answer was verified.")
                    suggestion = self._suggestion(document, language, prompt, candidate, clock)
                    if suggestion is not None and suggestion.text not in {known.text for known in suggestions}:
                        suggestions.append(suggestion)
                    if len(suggestions) == options.candidates:
                        break
                if len(suggestions) >= min(options.candidates, ENOUGH) or _is_late(options):
                    break
        return CompletionResult(tuple(suggestions), site, clock.report(), self.model, self.provider)

    def _decode(
        self,
        prompt: Prompt,
        site: CompletionSite,
        options: CompletionOptions,
        cancelled: Callable[[], bool],
        clock: _Clock,
    ) -> list[Candidate]:
        n_measures = 1 if site.barline_follows else min(options.measures, site.max_measures or options.measures)
        read(self._engine, prompt, cancelled)
        clock.lap("prefill")
        candidates = next_measures(
            self._engine,
            prompt,
            n_measures,
            candidates=n_rows(options.candidates),
            temperature=options.temperature,
            seed=options.seed,
            cancelled=cancelled,
            deadline=options.deadline,
        )
        clock.lap("decode")
        return candidates

    def _suggestion(
        self, document: Document, language: Language, prompt: Prompt, candidate: Candidate, clock: _Clock
    ) -> Suggestion | None:
        """Print and verify one candidate; None if it does not hold."""
        measures = decoded_measures(prompt, candidate)
        text = language.render(prompt.site, measures)
        clock.lap("render")
        valid = bool(text) and verify(document, language, prompt.site, measures, text)
        clock.lap("verify")
        if not valid:
            return None
        return Suggestion(
            text,
            prompt.site.offset,
            max(1, len(measures) - candidate.measures[0].is_pickup),
            candidate.log_probability / max(1, candidate.n_tokens),
            explain(candidate),
        )


def n_rows(candidates: int) -> int:
    """How many answers are decoded for so many candidates, since some turn out alike or are dropped."""
    return candidates if candidates == 1 else SPARE * candidates


def _variation(options: CompletionOptions, attempt: int) -> CompletionOptions:
    """The options of an attempt: where not enough suggestions held, more are drawn."""
    if attempt == 0:
        return options
    return replace(options, temperature=max(options.temperature, RETRY_TEMPERATURE), seed=options.seed + attempt)


def _is_late(options: CompletionOptions) -> bool:
    return options.deadline is not None and time.monotonic() > options.deadline


def explain(candidate: Candidate) -> str:
    """One sentence on where a candidate comes from."""
    likelihood = f"{100 * 2.718281828 ** (candidate.log_probability / max(1, candidate.n_tokens)):.0f} %"
    references = [measure.reference for measure in candidate.measures if measure.reference is not None]
    if not references:
        return f"New material; each choice {likelihood} likely on average."
    back = ", ".join(str(reference) for reference in dict.fromkeys(references))
    return f"Repeats the measure {back} back; each choice {likelihood} likely on average."


def decoded_measures(prompt: Prompt, candidate: Candidate) -> list[Measure]:
    """A candidate as measures: in the first only the new events, the others complete."""
    site = prompt.site
    key = site.key
    measures = []
    for index, decoded in enumerate(candidate.measures):
        voices = tuple(
            Voice(tuple(_events(prompt, decoded, voice, index, key)), staff=voice[1], number=voice[2])
            for voice in sorted(decoded.voices)
        )
        first = index == 0
        barline = None if first and site.barline_follows else encode.barline_of(decoded.barline)
        measures.append(
            Measure(
                voices=voices,
                time=site.time,
                key=key,
                barline=barline,
                repeat_start=v.REPEAT_START in decoded.head,
                ending=tuple(number for number in (1, 2, 3) if v.TOKEN_IDS[f"ending:{number}"] in decoded.head),
            )
        )
    return measures


def _events(
    prompt: Prompt, decoded: DecodedMeasure, voice: tuple[int, int, int], index: int, key: KeySignature
) -> list[Event]:
    length = prompt.site.time.duration
    if index == 0 and not prompt.site.whole_part:
        return decode_segment(decoded.voices[voice], key, prompt.start, prompt.current, length)
    return decode_segment(decoded.voices[voice], key, length=length)


def verify(
    document: Document, language: Language, site: CompletionSite, measures: Sequence[Measure], text: str
) -> bool:
    """Whether a document with `text` inserted says exactly `measures` there, and has no new diagnostic."""
    completed = language.parse(replaced(document.text, Span(site.offset, site.offset), text), document)
    before = Counter(one.code for one in document.diagnostics)
    after = Counter(one.code for one in completed.diagnostics)
    written = range(site.offset, site.offset + len(text))
    if after - before or any(one.span.start in written for one in completed.diagnostics):
        return False
    tune = next((index for index, score in enumerate(document.scores) if score is site.score), 0)
    if tune >= len(completed.scores) or site.part >= len(completed.scores[tune].parts):
        return False
    parsed = completed.scores[tune].parts[site.part].measures[site.measure :]
    return len(parsed) >= len(measures) and all(
        _says(parsed[index], measure, site if index == 0 else None) for index, measure in enumerate(measures)
    )


def _says(written: Measure, expected: Measure, site: CompletionSite | None) -> bool:
    """Whether a measure as parsed holds the events expected, after those that stood before the cursor."""
    found = {(voice.staff, voice.number): voice.events for voice in written.voices}
    for voice in expected.voices:
        events = found.get((voice.staff, voice.number), ())
        if site is not None and not site.whole_part:
            events = events[len(site.before) : len(site.before) + len(voice.events)]
        if [_music(event) for event in events] != [_music(event) for event in voice.events]:
            return False
    return True


def _music(event: Event) -> tuple[object, ...]:
    """What an event sounds, without what only the document knows."""
    return event.onset, event.duration, tuple((note.pitch, note.tie) for note in event.notes), event.grace
