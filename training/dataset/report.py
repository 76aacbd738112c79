"""What a build read, kept and lost: as data, and as a page.

Counts are of pieces, measures (of the whole score, not of each part), notes (noteheads) and tokens (as laid out in
score order, without headers and part tokens). A measure is lost if any of its voices could not be encoded.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from training.corpora import CORPORA
from training.dataset.clusters import SPLITS
from training.dataset.encode_files import ShardInfo

_COUNTS = ("n_measures", "n_notes", "n_tokens", "n_lost")
_MOST_REASONS = 12


def make_report(shards: Sequence[tuple[str, ShardInfo]]) -> dict[str, Any]:
    """The report of all shards, each with its corpus; every piece knows its `split` by now."""
    by_corpus: dict[str, list[ShardInfo]] = defaultdict(list)
    for corpus, info in shards:
        by_corpus[corpus].append(info)
    pieces = [piece for _, info in shards for piece in info.pieces]
    genres: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for piece in pieces:
        genres[piece["genre"]].append(piece)
    return {
        "all": _figures(pieces),
        "n_clusters": len({piece["cluster"] for piece in pieces}),
        "corpora": {corpus: _corpus_figures(corpus, infos) for corpus, infos in by_corpus.items()},
        "genres": {genre: _figures(members) for genre, members in sorted(genres.items())},
    }


def _corpus_figures(corpus: str, infos: Sequence[ShardInfo]) -> dict[str, Any]:
    skipped = Counter(reason for info in infos for _, reason in info.skipped)
    dropped = sum((Counter(info.dropped) for info in infos), Counter[str]())
    return {
        "licence": CORPORA[corpus].licence,
        "n_files": sum(info.n_files for info in infos),
        **_figures([piece for info in infos for piece in info.pieces]),
        "skipped": dict(skipped.most_common()),
        "lost_measures": dict(dropped.most_common()),
    }


def _figures(pieces: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    sums = {name: sum(piece[name] for piece in pieces) for name in _COUNTS}
    return {
        "n_pieces": len(pieces),
        **sums,
        "kept_share": 1 - sums["n_lost"] / max(1, sums["n_measures"]),
        "tokens_per_measure": sums["n_tokens"] / max(1, sums["n_measures"]),
        "tokens_per_note": sums["n_tokens"] / max(1, sums["n_notes"]),
        "splits": dict(Counter(piece["split"] for piece in pieces)),
    }


def report_text(report: Mapping[str, Any]) -> str:
    """The report as a Markdown page."""
    lines = ["# Dataset", "", f"{report['n_clusters']} clusters of works.", ""]
    for title, rows in (("corpus", report["corpora"]), ("genre", report["genres"])):
        lines += _table(title, {**rows, "all": report["all"]})
    for corpus, figures in report["corpora"].items():
        lines += _reasons(f"{corpus}: skipped", figures["skipped"])
        lines += _reasons(f"{corpus}: measures that lost something", figures["lost_measures"])
    return "\n".join(lines)


def _table(title: str, rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    lines = [
        f"| {title} | pieces | measures | kept | notes | tokens | tokens/measure | tokens/note | {'/'.join(SPLITS)} |",
        "|---|" + "--:|" * 8,
    ]
    for name, row in rows.items():
        splits = "/".join(str(row["splits"].get(split, 0)) for split in SPLITS)
        lines.append(
            f"| {name} | {row['n_pieces']:,} | {row['n_measures']:,} | {row['kept_share']:.2%} | {row['n_notes']:,} | "
            f"{row['n_tokens']:,} | {row['tokens_per_measure']:.1f} | {row['tokens_per_note']:.2f} | {splits} |"
        )
    return [*lines, ""]


def _reasons(title: str, counts: Mapping[str, int]) -> list[str]:
    if not counts:
        return []
    shown = [f"- {count:,}: {reason}" for reason, count in list(counts.items())[:_MOST_REASONS]]
    return [f"## {title}", "", *shown, ""]
