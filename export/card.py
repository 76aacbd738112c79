"""The model card: what a user should know of a bundle before trusting it, as Markdown made from its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from export.figures import markdown_table, write_figure


def model_card(manifest: Mapping[str, Any]) -> str:
    """The card's text.

    Args:
        manifest: the manifest's fields; `training` and `quality` may hold anything that JSON can. A `quality` made by
            `export.evaluation.report.summary` becomes tables.
    """
    parity = manifest["parity"]
    lines = [
        f"# {manifest['name']}",
        "",
        "Predicts the next measures of a score in ABC or MusicXML. It runs on the user's own processor and sends "
        "nothing anywhere.",
        "",
        "## The model",
        "",
        f"- Architecture: {_networks(manifest)}, {manifest['parameters'] / 1e6:.2f} million weights",
        f"- Precision: {manifest['precision']}, ONNX operator set {manifest['opset']}",
        f"- Context: at most {manifest['max_length']} tokens of vocabulary {manifest['vocabulary_hash']}",
    ]
    if parity:
        lines.append(
            f"- Against the trained network, over {parity['tokens']} positions: logits off by at most "
            f"{parity['max_error']:.2g}, the same first choice at {parity['top1_agreement']:.1%}, divergence "
            f"{parity['kl_divergence']:.2g} nats"
        )
    lines += ["", "## Training", "", *_items(manifest["training"])]
    lines += ["", "## Measured quality", "", *_quality(manifest["quality"])]
    lines += [
        "",
        "## Limits",
        "",
        "It imitates the styles of its training data and knows little of others. What it suggests is a suggestion: the "
        "composer decides.",
        "",
        *_copying(manifest["quality"].get("copying", {})),
        "",
        "## To make it again",
        "",
        "`make release` in Ghostnote's sources fetches the collections at the commits they were used at, builds the "
        "dataset, trains, evaluates and exports. What this bundle was made with is above; NOTICE says where each "
        "collection is published.",
        "",
    ]
    return "\n".join(lines)


def _networks(manifest: Mapping[str, Any]) -> str:
    n = manifest["config"]["n_networks"]
    return f"{n} networks that vote, each {manifest['architecture']}" if n > 1 else str(manifest["architecture"])


def _quality(quality: Mapping[str, Any]) -> list[str]:
    """A table a test and genre, or bullets for figures of another kind."""
    if "tests" not in quality:
        return _items(quality)
    learned = "which the model was" if quality["split"] == "train" else "whose clusters of near doubles it was not"
    lines = [
        f"On the {quality['split']} split, {learned} trained on, beside the strongest simple rule on the same music. "
        "In brackets the 95 % interval of a bootstrap over clusters. `ghostnote evaluate` makes the figures again; its "
        "documentation says what each counts.",
        "",
    ]
    for test, genres in quality["tests"].items():
        for genre, rows in genres.items():
            names = list(dict.fromkeys(name for row in rows for name in row["figures"]))
            cells = [
                [row["predictor"], row["kind"], *(write_figure(name, row["figures"].get(name)) for name in names)]
                for row in rows
            ]
            n = max(one["n"] for row in rows for one in row["figures"].values())
            lines += [f"### {genre}: {test} ({n:,})", ""]
            lines += [*markdown_table(["predictor", "kind", *names], cells), ""]
    return lines[:-1]


def _copying(copying: Mapping[str, Any]) -> list[str]:
    """How often it repeats its training data word for word, as `benchmarks/copying.py` counted."""
    if not copying:
        return ["It may by chance repeat a phrase that stands in its training data."]
    lines = [
        "It may repeat a phrase that stands in its training data. So many runs of measures stood there verbatim, in "
        "any key, those left out that it repeated from the piece itself:",
        "",
    ]
    for genre, writers in copying.items():
        for writer, counts in writers.items():
            shares = ", ".join(
                f"{one['copied'] - one['own']} of {one['runs']:,} runs of {length} measures ({one['share']:.2%})"
                for length, one in counts.items()
            )
            lines.append(f"- {genre}, {writer}: {shares}")
    return lines


def _items(value: Mapping[str, Any] | list[Any], depth: int = 0) -> list[str]:
    """Nested bullets for what JSON can hold."""
    if not value:
        return ["Not stated."] if depth == 0 else []
    named = value.items() if isinstance(value, Mapping) else ((None, each) for each in value)
    lines = []
    for name, each in named:
        label = f"- {name}" if name is not None else "-"
        if isinstance(each, Mapping | list):
            lines += [f"{'  ' * depth}{label}:" if name is not None else f"{'  ' * depth}-", *_items(each, depth + 1)]
        else:
            text = f"{each:.4g}" if isinstance(each, float) else str(each)
            lines.append(f"{'  ' * depth}{label}{': ' if name is not None else ' '}{text}")
    return lines
