"""A sample of `benchmarks.validity`: suggestions of the shipped model, judged by programs that are not ours.

The documents are music21's packaged scores, some of which the model has seen: validity is asked here, not foresight.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from benchmarks import sites, validity
from notation.language import Document
from tests.support import judges

N_SITES = 40
FOLDERS = {"abc": ("airdsAirs", "ryansMammoth"), "musicxml": ("bach", "schubert")}
BY_LANGUAGE = {"abc": judges.ABC_JUDGES, "musicxml": judges.MUSICXML_JUDGES}
RARE = {"abc": {"in a second voice that lags"}, "musicxml": {"between measures", "after </measure>, nothing closed"}}
TUNE = "X:1\nT:A trial\nM:4/4\nL:1/8\nK:G\nG2B2 d2g2|f2d2 A4|G2B2 d2g2|f2d2 G4|G8|A8|\n"


@dataclass(frozen=True)
class Given:
    """Looks like a suggestion."""

    text: str
    offset: int


@dataclass(frozen=True)
class Result:
    """Looks like what a completer gives."""

    suggestions: tuple[Given, ...]
    site: object = "a site"
    timing_ms: dict[str, float] = field(default_factory=lambda: {"total": 1.0})


def corpus(language: str) -> list[Path]:
    try:
        corpus_folder = validity.packaged(language)[0].parent
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    return [corpus_folder / folder for folder in FOLDERS[language]]


def drawn(language: str, n_sites: int, seed: int) -> list[sites.Hole]:
    found = sites.documents(corpus(language), language, random.Random(seed))
    return [*validity.draw(found, language, n_sites, seed, per_document=4)]


@pytest.mark.parametrize("language", ["abc", "musicxml"])
def test_suggestions_of_the_shipped_model_are_valid(language: str) -> None:
    judges.need(*BY_LANGUAGE[language])
    from inference.completion import load_completer

    completer = load_completer()
    found = sites.documents(corpus(language), language, random.Random(7))
    without_faults = validity.sound(found, language, BY_LANGUAGE[language], Counter())
    holes = validity.draw(without_faults, language, N_SITES, 7, per_document=4)
    done = list(validity.answers(holes, language, completer.complete, BY_LANGUAGE[language]))
    assert len(done) == N_SITES
    assert [(one.hole.kind, one.empty) for one in done if one.empty.startswith("crashed")] == []
    faults = [(one.hole.kind, one.hole.source, one.suggestion, one.complaints) for one in done if one.complaints]
    assert faults == []
    assert sum(not one.empty for one in done) > N_SITES / 2


@pytest.mark.parametrize("language", ["abc", "musicxml"])
def test_every_kind_of_site_is_drawn_and_the_same_seed_draws_the_same(language: str) -> None:
    first, second = (drawn(language, 200, seed=3) for _ in range(2))
    assert first == second
    kinds = {hole.kind for hole in first} | RARE[language]
    assert len(kinds) == len(sites.KINDS[language])


def test_the_tables_figures_are_those_of_the_judges() -> None:
    judges.need("abcjs")

    def complete(document: Document, _language: Any, offset: int) -> Result:
        if document.text.endswith("|\n"):
            return Result(())
        return Result((Given("A8|" if "f2d2 A4|" in document.text else "A6|", offset),))

    text, rng = TUNE, random.Random(0)
    barline = [hole for _ in range(12) for hole in sites.holes("trial", text, "abc", rng)]
    chosen = [hole for hole in barline if hole.kind in ("after a barline", "on a new line")]
    done = list(validity.answers(chosen, "abc", complete, ["abcjs"]))
    good, bad = (sum(bool(one.complaints) == wrong and not one.empty for one in done) for wrong in (False, True))
    silent = sum(one.empty == "nothing passed verification" for one in done)
    assert good > 0
    assert good + bad + silent == len(chosen)
    report = validity.table(done, "a trial", ["abcjs"])
    assert f"| all | {len(chosen)} | {good + bad} | {good} ({100 * good / (good + bad):.1f} %) | {bad} |" in report


def test_a_crash_is_a_finding_and_not_the_end() -> None:
    def complete(*_: object) -> Result:
        raise ZeroDivisionError("by nothing")

    hole = sites.Hole("trial", "", TUNE, len(TUNE), TUNE)
    (answer,) = validity.answers([hole], "abc", complete, ())
    assert answer.empty == "crashed: ZeroDivisionError: by nothing"


def test_a_hole_is_where_the_measure_stood_also_if_an_equal_one_stands_before() -> None:
    tune = "X:1\nM:2/4\nL:1/8\nK:C\n" + "|".join(["C2D2", "E2F2"] * 8) + "|]\n"
    seen = set()
    for seed in range(40):
        for hole in sites.holes("tune", tune, "abc", random.Random(seed)):
            if hole.kind == "between measures":
                seen.add(hole.offset)
                assert len(hole.text) == len(tune) - len("C2D2|")
                assert tune.startswith(hole.text[: hole.offset])
                assert tune.endswith(hole.text[hole.offset :])
    assert len(seen) > 5
