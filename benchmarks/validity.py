"""Are suggestions valid to programs that are not ours?

Draws completion sites from complete documents (`benchmarks.sites`), asks the model, inserts what it suggests and asks
the independent judges of `tests/support/judges` what they have against the completed document that they did not have
against the unfinished one. Our own parser is asked as well: new diagnostics, and measures that are not full. Writes a
table; `--failures` keeps each document that was found fault with.

    python -m benchmarks.validity --language abc --sites 1000 --data FOLDER --out benchmarks/validity.md

Documents that the judges find fault with before anything is inserted are used all the same: a suggestion answers only
for what it brings. For figures about held-out music, give the files of a test split (`--list`); without `--data` or
`--list` music21's packaged scores are used, which a model may have been trained on.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from benchmarks.sites import Hole, documents, holes
from notation.diagnostic import Severity
from notation.language import Document, language
from tests.support.judges import ABC_JUDGES, MUSICXML_JUDGES, available, judge_abc_batch, judge_musicxml_batch
from tests.support.judges.complaint import inserted_span
from tests.support.judges.sums import Sum, wrong

OWN = "ghostnote"
BATCH = 50
PACKAGED = {
    "abc": ("oneills1850", "ryansMammoth", "airdsAirs"),
    "musicxml": ("bach", "haydn", "mozart", "schubert", "schumann_clara", "beach", "corelli", "monteverdi"),
}
JUDGE = {"abc": judge_abc_batch, "musicxml": judge_musicxml_batch}
Complete = Callable[[Document, Any, int], Any]
"""`Completer.complete` with its options bound."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one hole.

    Attributes:
        hole: the document with a cursor.
        empty: why there is no suggestion; empty if there is one.
        suggestion: the text.
        completed: the whole document with it.
        complaints: of our own parser and of the judges, each as `judge: ...`.
        timing_ms: of the completer.
    """

    hole: Hole
    empty: str = ""
    suggestion: str = ""
    completed: str = ""
    complaints: tuple[str, ...] = ()
    timing_ms: dict[str, float] = field(default_factory=dict)


def draw(documents: Iterable[tuple[str, str]], name: str, n_sites: int, seed: int, per_document: int) -> Iterator[Hole]:
    """Up to `n_sites` holes, at most `per_document` in each document, the same for the same seed."""
    rng = random.Random(seed)
    drawn = 0
    for source, text in documents:
        found = list(holes(source, text, name, rng))
        for hole in rng.sample(found, min(per_document, len(found), n_sites - drawn)):
            drawn += 1
            yield hole
        if drawn >= n_sites:
            return


def sound(
    documents: Iterable[tuple[str, str]], name: str, judges: Sequence[str], left_out: Counter[str]
) -> Iterator[tuple[str, str]]:
    """Those documents that the judges have nothing against as they stand; the others are counted in `left_out`.

    A fault that the source had comes up again in what is made of it, and nothing can be said of a suggestion there.
    """
    remaining = iter(documents)
    while batch := list(islice(remaining, BATCH)):
        said = JUDGE[name]([(text, "") for _, text in batch], judges)
        for document, complaints in zip(batch, said, strict=True):
            left_out["documents"] += 1
            if complaints or any(
                one.severity <= Severity.WARNING for one in language(name).parse(document[1]).diagnostics
            ):
                left_out["left out"] += 1
            else:
                yield document


def answers(some: Iterable[Hole], name: str, complete: Complete, judges: Sequence[str]) -> Iterator[Answer]:
    """Complete and judge holes, in order."""
    judge = JUDGE[name]
    remaining = iter(some)
    while batch := list(islice(remaining, BATCH)):
        given = [_ask(hole, name, complete) for hole in batch]
        full = [one for one in given if not one.empty]
        said = iter(_judge(full, judge, judges))
        for one in given:
            if one.empty:
                yield one
            else:
                complaints = (*_own_complaints(one.completed, one.hole.reference, name), *next(said))
                yield Answer(one.hole, "", one.suggestion, one.completed, complaints, one.timing_ms)


def _ask(hole: Hole, name: str, complete: Complete) -> Answer:
    notation = language(name)
    try:
        result = complete(notation.parse(hole.text), notation, hole.offset)
    except Exception as error:  # a crash is a finding of this benchmark, not its end
        return Answer(hole, f"crashed: {type(error).__name__}: {error}"[:100])
    if result.site is None:
        return Answer(hole, "not seen as a place for music", timing_ms=result.timing_ms)
    if not result.suggestions:
        return Answer(hole, "nothing passed verification", timing_ms=result.timing_ms)
    best = result.suggestions[0]
    return Answer(hole, "", best.text, hole.completed(best.text, best.offset), (), result.timing_ms)


def _judge(given: Sequence[Answer], judge: Callable[..., list[list[str]]], judges: Sequence[str]) -> list[list[str]]:
    """What the judges have against each completed document.

    How long the measure at the cursor is, is compared with the document without that measure; everything else also
    with the document as it stood: a repeat that is still open, or a decoration unknown to a judge, may stand before the
    cursor.
    """
    strict = judge([(one.completed, one.hole.reference) for one in given], judges)
    lenient = judge([(one.completed, one.hole.standing) for one in given], judges)
    return [
        [said for said in mine if said in others or _is_about_length(said)]
        for mine, others in zip(strict, lenient, strict=True)
    ]


def _is_about_length(complaint: str) -> bool:
    return " is due" in complaint or " beside one of " in complaint


def _own_complaints(text: str, reference: str, name: str) -> list[str]:
    """New errors and warnings of our parser, and inserted measures that are neither full nor split by custom."""
    completed, before = language(name).parse(text), language(name).parse(reference)
    known = Counter(one.code for one in before.diagnostics)
    found = Counter(one.code for one in completed.diagnostics if one.severity <= Severity.WARNING)
    complaints = [f"{OWN}: {code}" for code in (found - known).elements()]
    start, end = inserted_span(text, reference)
    for score in completed.scores:
        for part in score.parts:
            sums = [
                Sum(
                    one.duration,
                    one.time.duration,
                    ends_section=one.barline is not None and one.barline.ends_section,
                    implicit=one.implicit,
                    start=one.span.start,
                    end=one.span.end,
                )
                for one in part.measures
                if one.barline is not None
            ]
            complaints.extend(
                f"{OWN}: measure of {one.length} where {one.full} is due"
                for one in wrong(sums)
                if one.start < end and one.end > start
            )
    return complaints


# The report


def table(done: Sequence[Answer], title: str, judges: Sequence[str]) -> str:
    """The results as Markdown: one row a kind of site, then complaints by judge and reasons for silence."""
    columns = (OWN, *judges)
    lines = [
        f"## {title}",
        "",
        "| site | sites | suggestions | valid | " + " | ".join(columns) + " | no suggestion |",
        "|---|" + "---:|" * (4 + len(columns)),
    ]
    for kind in [*dict.fromkeys(one.hole.kind for one in done), "all"]:
        mine = [one for one in done if kind in ("all", one.hole.kind)]
        lines.append(_row(kind, mine, columns))
    empty = Counter(one.empty for one in done if one.empty)
    lines += ["", "No suggestion:" if empty else "Every site got a suggestion.", ""]
    lines += [f"- {count} ({100 * count / len(done):.1f} %): {reason}" for reason, count in empty.most_common()]
    if times := sorted(one.timing_ms["total"] for one in done if "total" in one.timing_ms):
        median, late = times[len(times) // 2], times[min(len(times) - 1, len(times) * 95 // 100)]
        lines += ["", f"Time per request, parsing included: median {median:.0f} ms, 95th percentile {late:.0f} ms."]
    return "\n".join(lines) + "\n"


def _row(kind: str, mine: Sequence[Answer], columns: Sequence[str]) -> str:
    given = [one for one in mine if not one.empty]
    valid = sum(not one.complaints for one in given)
    share = f"{valid} ({100 * valid / len(given):.1f} %)" if given else "-"
    by_judge = [sum(any(said.startswith(f"{judge}:") for said in one.complaints) for one in given) for judge in columns]
    cells = [kind, str(len(mine)), str(len(given)), share, *map(str, by_judge), str(len(mine) - len(given))]
    return "| " + " | ".join(cells) + " |"


def packaged(name: str) -> list[Path]:
    """Folders of scores that come with music21 (which is not imported).

    Raises:
        FileNotFoundError: music21 is not installed.
    """
    spec = find_spec("music21")
    if spec is None or spec.submodule_search_locations is None:
        raise FileNotFoundError("music21 is not installed: name documents with --data, or pip install music21")
    return [Path(spec.submodule_search_locations[0]) / "corpus" / folder for folder in PACKAGED[name]]


def _completer(model: str | None, provider: str, threads: int, measures: int) -> tuple[Complete, str]:
    from inference.completion import CompletionOptions, load_completer

    completer = load_completer(model, provider, threads)
    options = CompletionOptions(measures=measures)
    return (
        lambda document, notation, offset: completer.complete(document, notation, offset, options),
        f"{completer.model} on {completer.provider}",
    )


def main(
    language_name: Annotated[str, typer.Option("--language", help="abc or musicxml")] = "abc",
    sites: Annotated[int, typer.Option(help="how many places to draw")] = 1000,
    data: Annotated[list[Path] | None, typer.Option(help="a file or folder of documents; may be repeated")] = None,
    listed: Annotated[Path | None, typer.Option("--list", help="a file with one path a line")] = None,
    out: Annotated[Path | None, typer.Option(help="append the table to this Markdown file")] = None,
    failures: Annotated[Path | None, typer.Option(help="write what was found fault with, as JSON lines")] = None,
    seed: int = 0,
    model: Annotated[str | None, typer.Option(help="a bundle's name or folder")] = None,
    provider: str = "auto",
    threads: int = 1,
    measures: Annotated[int, typer.Option(help="measures per suggestion")] = 1,
    per_document: Annotated[int, typer.Option(help="most places in one document")] = 6,
    judges: Annotated[str, typer.Option(help="which judges to ask, with commas; all by default")] = "",
) -> None:
    """Measure how many suggestions are valid to independent judges."""
    paths = [*(data or []), *([Path(line) for line in listed.read_text().splitlines()] if listed else [])]
    names = tuple(judges.split(",")) if judges else {"abc": ABC_JUDGES, "musicxml": MUSICXML_JUDGES}[language_name]
    if missing := [name for name in names if not available().get(name, False)]:
        raise typer.BadParameter(f"not installed: {', '.join(missing)}; run scripts/setup-judges.sh")
    complete, told = _completer(model, provider, threads, measures)
    left_out: Counter[str] = Counter()
    found = documents(paths or packaged(language_name), language_name, random.Random(seed))
    drawn = draw(sound(found, language_name, names, left_out), language_name, sites, seed, per_document)
    with Progress() as progress:
        judged = answers(drawn, language_name, complete, names)
        done = list(progress.track(judged, total=sites, description=f"{language_name} sites"))
    if not done:
        raise typer.BadParameter("no document gave a completion site; see --data")
    origin = "the documents given" if paths else "music21's packaged scores"
    title = f"{language_name}: {len(done)} sites in {origin}, seed {seed}, {measures} measure(s), {told}"
    faulty, looked_at = left_out["left out"], left_out["documents"]
    note = f"{faulty} of {looked_at} documents left out: the judges object to them as they stand."
    text = f"{table(done, title, names)}\n{note}\n"
    typer.echo(text)
    if out is not None:
        with out.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
    if failures is not None:
        _write_failures(failures, done)


def _write_failures(path: Path, done: Sequence[Answer]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for one in done:
            if one.complaints or one.empty.startswith("crashed"):
                record = {
                    "kind": one.hole.kind,
                    "source": one.hole.source,
                    "complaints": one.complaints or [one.empty],
                    "text": one.hole.text,
                    "offset": one.hole.offset,
                    "suggestion": one.suggestion,
                }
                file.write(json.dumps(record, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    typer.run(main)
