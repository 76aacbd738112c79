"""From corpora to a dataset folder.

    shards/CORPUS/...          one a chunk of files: what makes a build resumable
    tables/CORPUS/SPLIT/*.npy  table sets, see `tables`
    pieces.jsonl               provenance: one line a piece, with its cluster and split and its place in the tables
    dataset.json               vocabulary, hash of the code, corpora
    report.json, report.md     what was read, kept and lost

Each chunk is read in a process of its own. The split is made when all is read, over all corpora together, and by
work: see `clusters`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from notation.tokens.vocabulary import VOCABULARY_HASH
from training.corpora import CORPORA
from training.dataset.clusters import SPLITS, assign_splits
from training.dataset.encode_files import Chunk, ShardInfo, chunks_of, code_hash, encode_chunk, read_shard
from training.dataset.report import make_report, report_text
from training.dataset.tables import Tables, concatenate, select_pieces

CHUNK_FILES = 24

Progress = Callable[[str, int, int], None]
"""(what is being done, steps done, steps in all)."""


def build(
    out: Path,
    sources: Mapping[str, Path],
    *,
    jobs: int = 1,
    limit: int | None = None,
    progress: Progress = lambda *_: None,
) -> dict[str, Any]:
    """Build a dataset folder, or finish one that was begun.

    Args:
        out: the folder; shards that are in it already, made by the same code, are used again.
        sources: corpus name -> its folder.
        jobs: number of processes; 1 works in this one.
        limit: read at most so many files of each corpus.
        progress: told how far it is.

    Returns:
        The report, as in report.json.

    Raises:
        ValueError: a name is not in `CORPORA`, or nothing could be used.
        FileNotFoundError: a folder holds no file of its corpus.
    """
    unknown = sorted(set(sources) - set(CORPORA))
    if unknown:
        raise ValueError(f"unknown corpus {', '.join(unknown)}: choose among {', '.join(sorted(CORPORA))}.")
    shards = out / "shards"
    chunks = [chunk for name, root in sources.items() for chunk in chunks_of(name, root, shards, limit, CHUNK_FILES)]
    todo = [chunk for chunk in chunks if not chunk.is_done]
    for done, _ in enumerate(_encode(todo, jobs), start=1 + len(chunks) - len(todo)):
        progress("reading and encoding", done, len(chunks))
    return _assemble(out, [(chunk.corpus, *read_shard(chunk.shard)) for chunk in chunks], progress)


def _encode(chunks: Sequence[Chunk], jobs: int) -> Iterator[Path]:
    if jobs <= 1:
        yield from map(encode_chunk, chunks)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(encode_chunk, chunk) for chunk in chunks]):
            yield future.result()


def _assemble(out: Path, shards: Sequence[tuple[str, Tables, ShardInfo]], progress: Progress) -> dict[str, Any]:
    pieces = [piece for _, _, info in shards for piece in info.pieces]
    if not pieces:
        raise ValueError(
            f"no piece could be used of {sum(info.n_files for _, _, info in shards)} files; see the skips."
        )
    progress("clustering", 0, 1)
    for piece, (cluster, split) in zip(pieces, assign_splits(pieces), strict=True):
        piece.pop("description")
        piece["cluster"], piece["split"] = cluster, split
    for corpus in dict.fromkeys(corpus for corpus, _, _ in shards):
        own = [(tables, info) for name, tables, info in shards if name == corpus]
        for split in SPLITS:
            progress(f"writing {corpus}", 0, 1)
            _write_split(out / "tables" / corpus / split, own, split)
    _write_lines(out / "pieces.jsonl", pieces)
    report = make_report([(corpus, info) for corpus, _, info in shards])
    about = {"vocabulary": VOCABULARY_HASH, "code": code_hash(), "corpora": sorted(report["corpora"])}
    (out / "dataset.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    (out / "report.md").write_text(report_text(report), encoding="utf-8")
    progress("done", 1, 1)
    return report


def _write_split(folder: Path, shards: Sequence[tuple[Tables, ShardInfo]], split: str) -> None:
    chosen = []
    n_written = 0
    for tables, info in shards:
        places = [index for index, piece in enumerate(info.pieces) if piece["split"] == split]
        for index in places:
            info.pieces[index]["index"] = n_written
            n_written += 1
        chosen.append(select_pieces(tables, places))
    concatenate(chosen).save(folder)


def _write_lines(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


@dataclass(frozen=True)
class Dataset:
    """A dataset folder that was built.

    Attributes:
        folder: where it lies.
        corpora: their names, sorted.
    """

    folder: Path
    corpora: tuple[str, ...]

    @classmethod
    def open(cls, folder: Path) -> Dataset:
        """Open a folder that `build` made.

        Raises:
            FileNotFoundError: there is no finished dataset.
            ValueError: it was made with another vocabulary.
        """
        try:
            about = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"'{folder}' holds no finished dataset (no dataset.json). Run `ghostnote corpus build --out {folder}`."
            ) from error
        if about["vocabulary"] != VOCABULARY_HASH:
            raise ValueError(
                f"dataset '{folder}' was made with vocabulary {about['vocabulary']}, this build has {VOCABULARY_HASH}. "
                "Build the dataset again."
            )
        return cls(folder, tuple(about["corpora"]))

    def tables(self, split: str) -> dict[str, Tables]:
        """The table sets of a split, by corpus."""
        return {corpus: Tables.open(self.folder / "tables" / corpus / split) for corpus in self.corpora}

    def pieces(self, split: str) -> list[dict[str, Any]]:
        """The provenance of every piece of a split; `index` is its place in its corpus's tables."""
        with (self.folder / "pieces.jsonl").open(encoding="utf-8") as file:
            pieces = [json.loads(line) for line in file]
        return [piece for piece in pieces if piece["split"] == split]


def pieces_by_genre(pieces: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Pieces by their genre."""
    groups = defaultdict(list)
    for piece in pieces:
        groups[piece["genre"]].append(piece)
    return dict(groups)
