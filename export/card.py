"""The model card: what a user should know of a bundle before trusting it, as Markdown made from its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def model_card(manifest: Mapping[str, Any]) -> str:
    """The card's text.

    Args:
        manifest: the manifest's fields; `training` and `quality` may hold anything that JSON can.
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
        f"- Architecture: {manifest['architecture']}, {manifest['parameters'] / 1e6:.2f} million weights",
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
    lines += ["", "## Measured quality", "", *_items(manifest["quality"])]
    lines += [
        "",
        "## Limits",
        "",
        "It imitates the styles of its training data and knows little of others. It may by chance repeat a phrase that "
        "stands in that data. What it suggests is a suggestion: the composer decides.",
        "",
        "## To make it again",
        "",
        "`ghostnote corpus build`, `ghostnote train`, `ghostnote evaluate` and `ghostnote export`, with the data and "
        "the configuration named above; Ghostnote's NOTICE says where each collection is published.",
        "",
    ]
    return "\n".join(lines)


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
