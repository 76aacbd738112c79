"""One chunk of files of a corpus, read and encoded: the unit of work of a build, and of resuming one.

A shard is two files: `NAME.npz` with a table set and `NAME.json` with what is known of each piece and each skip. Its
name holds a hash of all that it was made from, so a shard that exists is a shard that is done.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import notation
import training
from notation.tokens import vocabulary
from notation.tokens.encode import EncodedScore, encode_score
from training.corpora import CORPORA, Piece
from training.dataset.clusters import describe
from training.dataset.tables import Tables, TableWriter

MAX_LOST_SHARE = 0.2
"""A piece of which more measures than this lost something is left out: its reading is not to be trusted."""


@dataclass(frozen=True)
class Chunk:
    """Some files of one corpus.

    Attributes:
        corpus: a name in `CORPORA`.
        root: the corpus's folder.
        paths: the files, below `root`.
        shards: the folder to write to.
        code: hash of the code that reads and encodes, so that all processes of a build agree on it.
    """

    corpus: str
    root: Path
    paths: tuple[Path, ...]
    shards: Path
    code: str

    @property
    def shard(self) -> Path:
        """Where the shard lies, without its suffix."""
        digest = hashlib.sha256(f"{vocabulary.VOCABULARY_HASH} {self.code} {self.corpus}\n".encode())
        for path in self.paths:
            status = path.stat()
            digest.update(f"{path.relative_to(self.root).as_posix()} {status.st_size} {status.st_mtime_ns}\n".encode())
        return self.shards / self.corpus / digest.hexdigest()[:20]

    @property
    def is_done(self) -> bool:
        """Whether the shard was written before, by this very code, from these very files."""
        return self.shard.with_suffix(".json").exists()


@dataclass
class ShardInfo:
    """What a shard's json says.

    Attributes:
        pieces: one a piece, in the order of the tables: its provenance, its sizes and its `description` for clustering.
        skipped: [what, reason] of what could not be used.
        dropped: measures that lost something, by reason.
        n_files: how many files were read.
    """

    pieces: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    n_files: int = 0


@cache
def code_hash() -> str:
    """A hash of the code that decides what a shard holds."""
    readers = Path(notation.__file__).parent.rglob("*.py")
    corpora = Path(training.__file__).parent.joinpath("corpora").glob("*.py")
    own = Path(__file__).parent.glob("*.py")
    digest = hashlib.sha256()
    for path in sorted({*readers, *corpora, *(path for path in own if path.stem in _SHARD_MODULES)}):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


_SHARD_MODULES = ("clusters", "encode_files", "tables")


def encode_chunk(chunk: Chunk) -> Path:
    """Read and encode a chunk's files and write its shard; a crash leaves no shard that counts as done.

    Returns:
        The shard, without its suffix.

    Raises:
        ValueError: this process runs other code than the one that began the build.
        FileNotFoundError: the files are not to be seen from this machine.
    """
    if chunk.code != code_hash():
        raise ValueError(
            f"the build was begun by code {chunk.code}, but {platform.node()} runs {code_hash()}. Install the same "
            "Ghostnote on all machines, and change none of it during a build; then run the same command again."
        )
    shard = chunk.shard
    writer, info, dropped = TableWriter(), ShardInfo(n_files=len(chunk.paths)), Counter[str]()
    for path in chunk.paths:
        try:
            read = CORPORA[chunk.corpus].read(chunk.root, path)
        except Exception as error:  # a fault of a reader must cost one file, not the build
            info.skipped.append((path.relative_to(chunk.root).as_posix(), f"reader failed: {_in_short(error)}"))
            continue
        info.skipped += read.skipped
        for piece in read.pieces:
            _encode_piece(piece, writer, info, dropped)
    info.dropped = dict(dropped)
    _write(shard, writer.tables(), info)
    return shard


def _in_short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:100]


def _encode_piece(piece: Piece, writer: TableWriter, info: ShardInfo, dropped: Counter[str]) -> None:
    try:
        encoded = encode_score(piece.score, piece.genre)
    except Exception as error:  # likewise: one piece
        info.skipped.append((piece.id, f"encoder failed: {_in_short(error)}"))
        return
    if not encoded.measures:
        info.skipped.append((piece.id, "no measures"))
        return
    n_lost = sum(encoded.dropped.values())
    if n_lost > MAX_LOST_SHARE * len(encoded.measures):
        info.skipped.append((piece.id, f"mostly lost: {encoded.dropped.most_common(1)[0][0]}"))
        return
    dropped.update(encoded.dropped)
    writer.add(encoded, piece.genre)
    info.pieces.append(
        {
            "id": piece.id,
            "corpus": piece.corpus,
            "work": piece.work,
            "title": piece.title,
            "composer": piece.composer,
            "composer_key": piece.composer_key,
            "licence": piece.licence,
            "path": piece.path,
            "genre": piece.genre,
            "n_parts": encoded.n_parts,
            **_sizes(encoded),
            "n_lost": n_lost,
            "description": describe(piece),
        }
    )


def _sizes(encoded: EncodedScore) -> dict[str, int]:
    segments = [segment for measure in encoded.measures for segment in measure.segments]
    heads = sum(len(measure.head) + (measure.barline is not None) for measure in encoded.measures)
    return {
        "n_measures": len(encoded.measures),
        "n_notes": sum(token in vocabulary.NOTEHEADS for segment in segments for token in segment.ids),
        "n_tokens": heads + sum(len(segment.ids) for segment in segments),
    }


def _write(shard: Path, tables: Tables, info: ShardInfo) -> None:
    shard.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: getattr(tables, name) for name in Tables.__dataclass_fields__}
    partial = shard.with_suffix(f".{platform.node()}-{os.getpid()}.partial.npz")
    np.savez(partial, allow_pickle=False, **arrays)
    partial.replace(shard.with_suffix(".npz"))
    partial.write_text(json.dumps(asdict(info)), encoding="utf-8")
    partial.replace(shard.with_suffix(".json"))


def read_shard(shard: Path) -> tuple[Tables, ShardInfo]:
    """Read a shard back, given its place without the suffix."""
    with np.load(shard.with_suffix(".npz"), allow_pickle=False) as arrays:
        tables = Tables(*(arrays[name] for name in Tables.__dataclass_fields__))
    content = json.loads(shard.with_suffix(".json").read_text(encoding="utf-8"))
    content["skipped"] = [(what, reason) for what, reason in content["skipped"]]
    return tables, ShardInfo(**content)


def chunks_of(corpus: str, root: Path, shards: Path, limit: int | None, size: int) -> Sequence[Chunk]:
    """The chunks of a corpus, `size` files each; with a limit, that many files spread evenly over it.

    Raises:
        FileNotFoundError: `root` holds no file of this corpus.
    """
    root, shards = root.resolve(), shards.resolve()
    files = CORPORA[corpus].list_files(root)
    if limit is not None and limit < len(files):
        files = [files[index * len(files) // limit] for index in range(limit)]
    code = code_hash()
    return [Chunk(corpus, root, tuple(files[at : at + size]), shards, code) for at in range(0, len(files), size)]
