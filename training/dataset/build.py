"""From corpora to a dataset folder.

    shards/CORPUS/...          one a chunk of files: what makes a build resumable
    tables/CORPUS/SPLIT/*.npy  table sets, see `tables`
    pieces.jsonl               one line a piece: its licence, file, composer, cluster, split, place in the tables
    skipped.jsonl              one line for each thing that could not be used: corpus, what, reason
    report.json, report.md     what was read, kept and lost
    dataset.json               vocabulary, hash of the code, and of each corpus: source, commit, licence, whom to thank

Each chunk is read in a process of its own, of this machine or of a cluster (`workers`). The split is made when all is
read, over all corpora together, and by work: see `clusters`. A build may be killed at any moment and run again: shards
count when they are whole, and dataset.json, which makes a folder a dataset, is taken away before the tables are written
and comes back last.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notation.tokens.vocabulary import VOCABULARY_HASH
from training.corpora import CORPORA
from training.corpora.fetch import Progress, commit_of
from training.dataset.clusters import SPLITS, assign_splits
from training.dataset.encode_files import ShardInfo, chunks_of, code_hash, encode_chunk, read_shard
from training.dataset.report import make_report, report_text
from training.dataset.tables import Tables, concatenate, select_pieces
from training.dataset.workers import work_on

CHUNK_FILES = 24


def build(
    out: Path,
    sources: Mapping[str, Path],
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    limit: int | None = None,
    progress: Progress = lambda *_: None,
) -> dict[str, Any]:
    """Build a dataset folder, or finish one that was begun.

    Args:
        out: the folder; shards that are in it already, made by the same code, are used again.
        sources: corpus name -> its folder.
        jobs: number of processes; 1 works in this one.
        scheduler: address of a Dask scheduler whose workers do it instead; the dataset is the same.
        limit: read at most so many files of each corpus.
        progress: told how far it is.

    Returns:
        The report, as in report.json.

    Raises:
        ValueError: a name is not in `CORPORA`, or nothing could be used, or workers cannot be had.
        FileNotFoundError: a folder holds no file of its corpus.
    """
    unknown = sorted(set(sources) - set(CORPORA))
    if unknown:
        raise ValueError(f"unknown corpus {', '.join(unknown)}: choose among {', '.join(sorted(CORPORA))}.")
    shards = out / "shards"
    chunks = [chunk for name, root in sources.items() for chunk in chunks_of(name, root, shards, limit, CHUNK_FILES)]
    todo = [chunk for chunk in chunks if not chunk.is_done]
    progress("reading and encoding", len(chunks) - len(todo), len(chunks))
    done = work_on(todo, encode_chunk, jobs=jobs, scheduler=scheduler)
    for n_done, _ in enumerate(done, start=1 + len(chunks) - len(todo)):
        progress("reading and encoding", n_done, len(chunks))
    for partial in shards.glob("*/*.partial.npz"):  # of a build that was killed
        partial.unlink()
    return _assemble(out, sources, [(chunk.corpus, *read_shard(chunk.shard)) for chunk in chunks], progress)


def _assemble(
    out: Path, sources: Mapping[str, Path], shards: Sequence[tuple[str, Tables, ShardInfo]], progress: Progress
) -> dict[str, Any]:
    pieces = [piece for _, _, info in shards for piece in info.pieces]
    if not pieces:
        raise ValueError(
            f"no piece could be used of {sum(info.n_files for _, _, info in shards)} files; {_commonest_skips(shards)}."
        )
    progress("clustering", 0, 1)
    for piece, (cluster, split) in zip(pieces, assign_splits(pieces), strict=True):
        piece.pop("description")
        piece["cluster"], piece["split"] = cluster, split
    (out / "dataset.json").unlink(missing_ok=True)
    for corpus in dict.fromkeys(corpus for corpus, _, _ in shards):
        own = [(tables, info) for name, tables, info in shards if name == corpus]
        for split in SPLITS:
            progress(f"writing {corpus}", 0, 1)
            _write_split(out / "tables" / corpus / split, own, split)
    _write_lines(out / "pieces.jsonl", pieces)
    _write_lines(out / "skipped.jsonl", _skips(shards))
    report = make_report([(corpus, info) for corpus, _, info in shards])
    _write_json(out / "report.json", report)
    (out / "report.md").write_text(report_text(report), encoding="utf-8")
    corpora = sorted(report["corpora"])
    about = {
        "vocabulary": VOCABULARY_HASH,
        "code": code_hash(),
        "corpora": corpora,
        "sources": {name: _provenance(name, sources[name]) for name in corpora},
    }
    _write_json(out / "dataset.json", about)
    progress("done", 1, 1)
    return report


def _skips(shards: Sequence[tuple[str, Tables, ShardInfo]]) -> list[dict[str, str]]:
    return [
        {"corpus": corpus, "what": what, "reason": reason}
        for corpus, _, info in shards
        for what, reason in info.skipped
    ]


def _commonest_skips(shards: Sequence[tuple[str, Tables, ShardInfo]]) -> str:
    reasons = Counter(skip["reason"] for skip in _skips(shards))
    return "; ".join(f"{count} skipped: {reason}" for reason, count in reasons.most_common(3))


def _provenance(name: str, root: Path) -> dict[str, Any]:
    """Where a corpus came from; `commit` is empty unless its folder was fetched at the pinned one."""
    corpus = CORPORA[name]
    return {
        "url": corpus.source_url,
        "commit": commit_of(root),
        "licence": corpus.licence,
        "attribution": corpus.attribution,
        "release": corpus.release,
    }


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


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)


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
        """The table sets of a split, by corpus.

        Raises:
            FileNotFoundError: the dataset has no such split, as `unseen` in those built before there was one.
        """
        for corpus in self.corpora:
            if not (self.folder / "tables" / corpus / split).is_dir():
                raise FileNotFoundError(
                    f"dataset '{self.folder}' has no split '{split}' of {corpus}: there are {', '.join(SPLITS)}, and "
                    "`unseen` is only in what was built since there is one. Build the dataset again."
                )
        return {corpus: Tables.open(self.folder / "tables" / corpus / split) for corpus in self.corpora}

    def pieces(self, split: str) -> list[dict[str, Any]]:
        """The provenance of every piece of a split; `index` is its place in its corpus's tables."""
        with (self.folder / "pieces.jsonl").open(encoding="utf-8") as file:
            pieces = [json.loads(line) for line in file]
        return [piece for piece in pieces if piece["split"] == split]
