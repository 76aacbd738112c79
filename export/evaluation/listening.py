"""A sheet for eyes and ears: which went on as the composer did, and which as the model?

For each of some pieces of one part the last `N_BEFORE` measures before a place, followed, after a double barline, once
by the four real ones and once by the model's likeliest four. The two are called A and B by lot; `answers.md` alone says
which is which. Each is written as ABC, drawn as SVG by abcm2ps and made a MIDI file by abc2midi; music21 makes the MIDI
where abc2midi is not installed, and there is no picture where abcm2ps is not. `index.html` shows them all.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from html import escape
from itertools import islice
from pathlib import Path

import numpy as np

from export.evaluation.infill import Gap, write_with_model
from export.evaluation.tasks import FIRST_MEASURE, PartOfPiece, solos
from inference.engine import Engine
from notation.language import language
from notation.score import Barline, Measure, Score
from training.dataset.build import Dataset

N_BEFORE = 8
N_MEASURES = 4
_DOUBLE = Barline("double")
_TIMEOUT = 60

Tell = Callable[[str], None]
"""Says something to the user."""


def write_sheet(
    folder: Path,
    dataset: Dataset,
    engine: Engine,
    *,
    split: str = "test",
    genres: Sequence[str] = ("folk",),
    items: int = 5,
    seed: int = 0,
    tell: Tell = print,
) -> int:
    """Write a sheet.

    Args:
        folder: made if it is not there; what has the same names in it is replaced.
        dataset: where the pieces are.
        engine: the model.
        split: of the pieces.
        genres: as many items of each as `items`; pieces of several parts are left out.
        items: of each genre.
        seed: of the drawing of pieces, and of the lots.
        tell: told, once each, which program is missing and what that means.

    Returns:
        How many items the sheet has.
    """
    folder = folder.resolve()  # the programs run in it
    folder.mkdir(parents=True, exist_ok=True)
    _tell_what_is_missing(tell)
    random = np.random.default_rng(seed)
    answers = ["# Which is the real one?", ""]
    pages: list[str] = []
    for genre in genres:
        for source, start in _places(dataset, split, genre, items, seed):
            pair = _pair(source, start, engine)
            if pair is None:
                continue
            number = len(pages) + 1
            is_first = bool(random.integers(2))
            for letter, score in zip("AB", pair if is_first else pair[::-1], strict=True):
                _write(folder / f"{number:02}-{letter}", score)
            answers.append(f"{number}. {'A' if is_first else 'B'} is real: {source.id}, from measure {start + 1} on")
            pages.append(_section(number, genre, folder))
    (folder / "answers.md").write_text("\n".join([*answers, ""]), encoding="utf-8")
    (folder / "index.html").write_text(_page(pages), encoding="utf-8")
    return len(pages)


def _tell_what_is_missing(tell: Tell) -> None:
    if shutil.which("abcm2ps") is None:
        tell("abcm2ps is not installed: the sheet has no pictures of the scores. Install abcm2ps for them.")
    if shutil.which("abc2midi") is None:
        tell("abc2midi is not installed: music21 makes the MIDI files. Install abcmidi for better ones.")


def _places(dataset: Dataset, split: str, genre: str, items: int, seed: int) -> Iterator[tuple[PartOfPiece, int]]:
    """Pieces of one part, and where each is cut: the place nearest to its middle that whole measures follow."""
    found = ((part, _place(part.score().parts[0].measures)) for part in solos(dataset, split, genre, seed))
    return islice(((part, start) for part, start in found if start is not None), items)


def _place(measures: Sequence[Measure]) -> int | None:
    """Where `N_MEASURES` whole measures begin: a pickup would show which passage is real, for no model writes one."""
    places = range(FIRST_MEASURE, len(measures) - N_MEASURES + 1)
    whole = (start for start in places if all(one.is_full for one in measures[start : start + N_MEASURES]))
    return min(whole, key=lambda start: abs(2 * start - len(measures)), default=None)


def _pair(source: PartOfPiece, start: int, engine: Engine) -> tuple[Score, Score] | None:
    """The real passage and the model's; None if the model's is shorter."""
    score = source.score()
    gap = Gap(source, score, source.contents(), start, N_MEASURES, infilled=False)
    written = [measure for _, measure in write_with_model(engine, gap)]
    if len(written) < N_MEASURES:
        return None
    before = score.parts[0].measures[max(0, start - N_BEFORE) : start]
    return _passage(score, before, gap.measures), _passage(score, before, written)


def _passage(score: Score, before: Sequence[Measure], after: Sequence[Measure]) -> Score:
    """A passage, with a double barline where the second half begins, and without repeats: it has but pieces of them."""
    marked = (*before[:-1], replace(before[-1], barline=_DOUBLE)) if before else ()
    measures = tuple(_without_repeats(measure) for measure in (*marked, *after))
    return replace(score, parts=(replace(score.parts[0], measures=measures),))


def _without_repeats(measure: Measure) -> Measure:
    barline = measure.barline and replace(measure.barline, repeat_end=False)
    return replace(measure, barline=barline, repeat_start=False, ending=())


def _write(stem: Path, score: Score) -> None:
    """ABC, SVG and MIDI of a passage."""
    source = stem.with_suffix(".abc")
    source.write_text(language("abc").print([score]), encoding="utf-8")
    if (drawing := shutil.which("abcm2ps")) is not None:
        _run([drawing, "-q", "-g", str(source), "-O", str(stem.with_suffix(".svg"))], stem.parent)
        stem.with_name(f"{stem.name}001.svg").replace(stem.with_suffix(".svg"))  # it numbers the tunes of a file
    if (player := shutil.which("abc2midi")) is not None:
        _run([player, str(source), "-o", str(stem.with_suffix(".mid"))], stem.parent)
    else:
        from music21 import converter

        musicxml = language("musicxml").print([score])
        converter.parse(musicxml, format="musicxml").write("midi", fp=str(stem.with_suffix(".mid")))


def _run(command: Sequence[str], folder: Path) -> None:
    """Run a program.

    Raises:
        OSError: it failed or did not end; the message holds what it said.
    """
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, encoding="utf-8", errors="replace", timeout=_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{' '.join(command)} did not end in {_TIMEOUT} s") from error
    if done.returncode:
        raise OSError(f"{' '.join(command)} ended with {done.returncode}: {(done.stderr or done.stdout)[-300:]}")


def _section(number: int, genre: str, folder: Path) -> str:
    """The part of the page about one item."""
    passages = []
    for letter in "AB":
        name = f"{number:02}-{letter}"
        picture = f'<img src="{name}.svg" alt="{name}">' if (folder / f"{name}.svg").is_file() else ""
        passages.append(f'<h3>{letter} (<a href="{name}.mid">listen</a>, <a href="{name}.abc">ABC</a>)</h3>{picture}')
    return f"<h2>{number}: {escape(genre)}</h2>{''.join(passages)}"


def _page(sections: Sequence[str]) -> str:
    intro = "What follows the double barline is real in one of A and B. In which? The answers are in answers.md."
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Listening sheet</title>'
        "<style>body{font-family:sans-serif;max-width:50em;margin:auto}img{max-width:100%}</style>"
        f"<h1>Listening sheet</h1><p>{intro}</p>{''.join(sections)}</html>\n"
    )
