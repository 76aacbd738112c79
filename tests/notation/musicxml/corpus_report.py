"""How many files of a folder are the same score after printing and reading again?

    python -m tests.notation.musicxml.corpus_report FOLDER ... [--limit N]

Prints one line a folder: files, share that round-trips, share without diagnostics, seconds a megabyte; then what does
not, by reason, with one example each. A file that is read as something MusicXML cannot say, so that only its normal
form comes back, is counted apart.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from pathlib import Path

from notation.musicxml import MxlError, normal_form, parse, print_score, read_file
from notation.score import Score

SUFFIXES = (".mxl", ".musicxml", ".xml")


def difference(first: Score, second: Score) -> str:
    """In what two scores differ, in a few words; empty if they are equal."""
    if first == second:
        return ""
    for name in ("title", "composer", "rhythm", "fields"):
        if getattr(first, name) != getattr(second, name):
            return name
    for one, other in zip(first.parts, second.parts, strict=False):
        for name in ("id", "name", "instrument", "staves"):
            if getattr(one, name) != getattr(other, name):
                return f"part {name}"
        for a, b in zip(one.measures, other.measures, strict=False):
            for name in ("time", "key", "barline", "repeat_start", "ending", "transpose", "clefs", "voices"):
                if getattr(a, name) != getattr(b, name):
                    return f"measure {name}"
    return "number of parts or measures"


def check(path: Path) -> tuple[str, int, int]:
    """The verdict on a file (empty if it round-trips), its number of diagnostics, and its characters."""
    try:
        text = read_file(path.read_bytes())
    except MxlError as error:
        return f"not read: {error}", 0, 0
    document = parse(text)
    score = document.scores[0]
    found = difference(score, parse(print_score(score)).scores[0])
    if found and not difference(normal_form(score), parse(print_score(score)).scores[0]):
        found = f"normal form only: {found}"
    return found, len(document.diagnostics), len(text)


def report(folder: Path, limit: int) -> None:
    """Print the lines of one folder."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES)
    random.Random(0).shuffle(paths)
    paths = paths[:limit] if limit else paths
    reasons: Counter[str] = Counter()
    examples: dict[str, Path] = {}
    clean = characters = 0
    start = time.perf_counter()
    for path in paths:
        reason, n_diagnostics, length = check(path)
        reasons[reason] += 1
        examples.setdefault(reason, path)
        clean += not n_diagnostics
        characters += length
    seconds = time.perf_counter() - start
    count = max(1, len(paths))
    print(
        f"{folder.name}: {len(paths)} files, {100 * reasons.pop('', 0) / count:.1f} % round-trip, "
        f"{100 * clean / count:.1f} % without diagnostics, {seconds / max(1e-6, characters / 1e6):.2f} s a megabyte"
    )
    for reason, number in reasons.most_common():
        print(f"    {number:5d}  {reason}  ({examples[reason].name})")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=0, help="files a folder, drawn at random; 0 for all")
    arguments = parser.parse_args()
    for folder in arguments.folders:
        report(folder, arguments.limit)


if __name__ == "__main__":
    main()
