"""Which corpora are there, and how is each read?

Adding one: a module beside these that makes a `CORPUS`, with source, licence and what is left out in its docstring, and
one line in `_ALL`. Nothing here holds or fetches data: every corpus is a folder that the user names.
"""

from __future__ import annotations

from training.corpora import (
    folder,
    jsb_json,
    music21,
    music21_folk,
    nifc_chopin,
    nifc_polish,
    openewld,
    openhymnal,
    openscore_lieder,
    openscore_orchestra,
    openscore_quartets,
)
from training.corpora.base import GENRES, Corpus, Piece, Read

_ALL = (
    music21.CORPUS,
    music21_folk.CORPUS,
    openhymnal.CORPUS,
    openewld.CORPUS,
    openscore_lieder.CORPUS,
    openscore_quartets.CORPUS,
    openscore_orchestra.CORPUS,
    nifc_polish.CORPUS,
    nifc_chopin.CORPUS,
    jsb_json.CORPUS,
    folder.CORPUS,
)

CORPORA: dict[str, Corpus] = {corpus.name: corpus for corpus in _ALL}
"""Every corpus by its name."""

__all__ = ["CORPORA", "GENRES", "Corpus", "Piece", "Read"]
