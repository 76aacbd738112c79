"""What does a suggestion look like as text: is it valid, and how much typing does it save?

Validity. The measures before a task, as many as `WINDOW`, are printed as a document (ABC where the piece has one voice,
else MusicXML, the other parts a measure ahead), and the next measure is asked for at its end. The suggestion is valid
if it can be printed there, and the document with it says exactly the decoded music and has no new diagnostic: what the
server asks before it shows anything. Where the model ends no measure in the room it has (in free metre, say), nothing
is suggested, and there is nothing to be valid.

Keystrokes saved, of a tune printed as ABC by our printer. A writer types its music (all after the header) from left to
right and is offered one measure at a time, or the rest of the one begun. As in the server, what is offered stays open
while what is typed agrees with it; only when it is used up, or is contradicted, is another asked for. The writer takes
an offer whole, by one key, as soon as all its characters are the next ones of the tune, and else types one character.
Blanks and line ends are free and are not compared. Saved is the share of the characters that needed no key of their
own: (characters - keys) / characters, keys that take an offer included.

The copying writer, the baseline, is offered the tune's own earlier measures: at a barline what `SuffixMatch` says (else
four back), inside a measure the end of the latest one that begins as this one does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from export.bench.documents import typed_state
from export.evaluation.tasks import Task
from inference.completion import GENERATED_TOKENS, Completer, decoded_measures, verify
from inference.decode import next_measures
from inference.engine import Engine
from notation.language import Language, language
from notation.score import Score
from notation.tokens.prompt import make_prompt
from training.metrics.baselines import SuffixMatch

WINDOW = 16
"""Measures of a document that a suggestion is printed into."""

_HEADER = re.compile(r"^(?:%|\w:|\+:).*$\n?", re.MULTILINE)
_MEASURE = re.compile(r"[^|]+(?:\|[\]|:]?|$)|[|:\]]+")
_END_TAG = "</measure>"

Suggest = Callable[[str], str]
"""What is offered after the text before a cursor; empty for nothing."""


def is_valid(engine: Engine, task: Task) -> bool | None:
    """Whether the likeliest suggestion for a measure can be written into a document; None if there is none."""
    first = max(0, task.measure - WINDOW)
    score = _window(task.score, first, task.measure + 1)
    name = "abc" if len(score.parts) == 1 and _is_melody(score) else "musicxml"
    known = language(name)
    text = known.print([score])
    offset = _end_of_measure(known, text, task.part, task.measure - first - 1)
    document = known.parse(typed_state(text, offset))
    site = known.completion_site(document, offset)
    prompt = make_prompt(site, engine.max_length - GENERATED_TOKENS) if site is not None else None
    candidates = next_measures(engine, prompt) if prompt is not None else []
    if site is None or prompt is None or not candidates:
        return None
    measures = decoded_measures(prompt, candidates[0])
    suggested = known.render(site, measures)
    return bool(suggested) and verify(document, known, site, measures, suggested)


def _end_of_measure(known: Language, text: str, part: int, measure: int) -> int:
    """Where the next measure would be typed: in MusicXML behind the end tag, which a measure's span does not reach."""
    end = known.parse(text).scores[0].parts[part].measures[measure].span.end
    return text.index(_END_TAG, end) + len(_END_TAG) if known.name == "musicxml" else end


def _window(score: Score, first: int, stop: int) -> Score:
    return replace(score, parts=tuple(replace(part, measures=part.measures[first:stop]) for part in score.parts))


def _is_melody(score: Score) -> bool:
    return all((voice.staff, voice.number) == (1, 1) for one in score.parts[0].measures for voice in one.voices)


def keystrokes(text: str, suggest: Suggest) -> tuple[int, int]:
    """How many keys a writer presses for a tune, and how many characters its music has; see the module.

    Args:
        text: one tune in ABC.
        suggest: asked with all that stands before the cursor.
    """
    position = _music_start(text)
    music = "".join(text[position:].split())
    keys, done = 0, 0
    offer = ""
    while done < len(music):
        position = _skip_blanks(text, position)
        offer = offer or "".join(suggest(text[:position]).split())
        if offer and music.startswith(offer, done):
            step, offer = len(offer), ""
        else:
            step, offer = 1, offer[1:] if offer.startswith(music[done]) else ""
        keys += 1
        done += step
        for _ in range(step):
            position = _skip_blanks(text, position) + 1
    return keys, len(music)


def model_suggester(completer: Completer) -> Suggest:
    """What the server would offer at the end of a text."""
    abc = language("abc")

    def suggest(before: str) -> str:
        found = completer.complete(abc.parse(before), abc, len(before)).suggestions
        return found[0].text if found else ""

    return suggest


def copying_suggester() -> Suggest:
    """What a writer who copies from the tune itself would be offered."""
    rule: SuffixMatch[str] = SuffixMatch([], fallback=4)

    def suggest(before: str) -> str:
        measures = _MEASURE.findall("".join(before[_music_start(before) :].split()))
        begun = measures.pop() if measures and "|" not in measures[-1] else ""
        if not begun:
            return rule(measures) if measures else ""
        alike = [measure for measure in measures if measure.startswith(begun) and len(measure) > len(begun)]
        return alike[-1][len(begun) :] if alike else ""

    return suggest


def _music_start(text: str) -> int:
    """Where the header of a tune is over."""
    position = 0
    while (line := _HEADER.match(text, position)) is not None and line.end() > position:
        position = line.end()
    return position


def _skip_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position
