"""Real MusicXML scores for the tests: those that music21 carries, which need nothing but its installation."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from notation.musicxml import MxlError, read_file

SUFFIXES = (".mxl", ".xml", ".musicxml")
_NOT_SCORES = ("test", "demos")


@cache
def score_files() -> tuple[Path, ...]:
    """The MusicXML files of music21's corpus, in order of their paths."""
    spec = find_spec("music21")
    if spec is None or spec.origin is None:
        return ()
    folder = Path(spec.origin).parent / "corpus"
    found = (path for path in folder.rglob("*") if path.suffix in SUFFIXES)
    return tuple(sorted(path for path in found if path.stat().st_size < 200_000))


def sample(count: int, start: int = 0) -> list[Path]:
    """Files spread evenly over the corpus; those of one folder do not stand side by side."""
    files = score_files()
    step = max(1, len(files) // count)
    return list(files[start % step :: step][:count])


def text_of(path: Path) -> str | None:
    """The text of a file; None if it is no MusicXML file after all."""
    try:
        text = read_file(path.read_bytes())
    except MxlError:
        return None
    return text if "<score-" in text else None
