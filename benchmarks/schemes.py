"""Is the token scheme well chosen? The same music in other schemes, for the same minutes of training.

Every scheme is a rewriting of the sequences that training uses, so all learn from the same windows of the same pieces
with the same network, and are asked about the same held-out music:

    ours                  sticky durations, pitch relative to the signature, references written and never read
    duration each note    a `d:` before every note, chord and rest
    fused                 duration and pitch of a note are one token (the 4,096 most frequent pairs; others are two)
    absolute pitch        steps from C4 and the alteration itself, whatever the signature
    no measure numbers    `m:` says that a measure begins, not which of its section
    no references         repeated measures are written out
    references read       a repeated measure is its reference, in what the model reads too

Bits a note can be compared between schemes: all nats that the music costs, over its noteheads. A measure counts as
right if every one of its tokens is the likeliest one, given the true ones before it. Only folk tunes count there.

    python -m benchmarks.schemes DATASET --out FOLDER --minutes 5
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from torch import Tensor

from export.bench.machine import describe_machine, describe_versions
from notation.tokens import vocabulary as v
from training.config import RunConfig, load_config
from training.dataset.build import Dataset
from training.dataset.layout import TaughtSequence
from training.dataset.sampler import Batch, Sampler, SamplerConfig
from training.models import ModelConfig, build_model
from training.objectives.next_token import next_token_loss, position_costs
from training.trainer import learning_rate

MUSIC_TOKENS = 300
"""Tokens of ours in a validation row: few enough that every scheme holds all of it in a window."""
N_FUSED = 4096
N_VALIDATION_BATCHES = 40

_MEASURE_NUMBERS = {v.TOKEN_IDS[f"m:{number}"] for number in range(1, v.N_MEASURE_NUMBERS)}
_MEASURES = _MEASURE_NUMBERS | {v.TOKEN_IDS["m:0"]}
_EVENTS = {*v.NOTE_OF, v.REST, v.HIDDEN_REST}
_KEYS = {v.TOKEN_IDS[f"key:{fifths}"]: fifths for fifths in range(-7, 8)}
_DEFAULT = v.DURATION_IDS[v.DEFAULT_DURATION]
_FOLK = v.TOKEN_IDS["genre:folk"]


@dataclass(slots=True)
class Row:
    """A training row in some scheme: `TaughtSequence`, and how many noteheads each token stands for."""

    taught: TaughtSequence = field(default_factory=TaughtSequence)
    notes: list[int] = field(default_factory=list)

    def add(self, token: int, weight: float, ref_mask: int = 0, notes: int | None = None) -> None:
        """Append a token."""
        self.taught.ids.append(token)
        self.taught.weights.append(weight)
        self.taught.ref_masks.append(ref_mask)
        self.notes.append(int(token in v.NOTEHEADS) if notes is None else notes)

    def cut(self, length: int) -> Row:
        """Keep the first `length` tokens."""
        self.taught.cut(length)
        del self.notes[length:]
        return self


Items = Iterator[tuple[int, float, int]]
Scheme = Callable[[TaughtSequence], Row]


def _items(row: TaughtSequence) -> Items:
    return zip(row.ids, row.weights, row.ref_masks, strict=True)


def ours(row: TaughtSequence) -> Row:
    """As it is."""
    made = Row()
    for token, weight, ref_mask in _items(row):
        made.add(token, weight, ref_mask)
    return made


def no_measure_numbers(row: TaughtSequence) -> Row:
    """Every number but a pickup's is 1."""
    made = Row()
    for token, weight, ref_mask in _items(row):
        made.add(v.TOKEN_IDS["m:1"] if token in _MEASURE_NUMBERS else token, weight, ref_mask)
    return made


def no_references(row: TaughtSequence) -> Row:
    """Repeats count like everything else."""
    made = Row()
    for (token, weight, _), inside in zip(_items(row), _inside_repeats(row), strict=True):
        made.add(token, 1.0 if inside else weight)
    return made


def references_read(row: TaughtSequence) -> Row:
    """The reference to the nearest equal measure stands where the repeat would."""
    made = Row()
    inside = [*_inside_repeats(row), False]
    for place, (token, weight, ref_mask) in enumerate(_items(row)):
        if ref_mask:
            end = place + 1
            while inside[end] and not row.ref_masks[end]:
                end += 1
            notes = sum(one in v.NOTEHEADS for one in row.ids[place:end])
            made.add(v.FIRST_REFERENCE + (ref_mask & -ref_mask).bit_length() - 1, weight, ref_mask, notes)
        elif not inside[place]:
            made.add(token, weight)
    return made


def _inside_repeats(row: TaughtSequence) -> list[bool]:
    """Which tokens belong to a segment that is a repeat: from its reference to the next barline, voice or part."""
    inside, found = False, []
    for token, _, ref_mask in _items(row):
        inside = bool(ref_mask) or (inside and token in _CONTENT)
        found.append(inside)
    return found


_CONTENT = {
    token_id
    for token, token_id in v.TOKEN_IDS.items()
    if v.family(token) in {"d", "n", "up", "r", "skip", "R", "tie", "grace", "h", "k", "b"}
}


def duration_each_note(row: TaughtSequence) -> Row:
    """The duration in force stands before each event."""
    made, duration = Row(), _DEFAULT
    for token, weight, ref_mask in _items(row):
        if token in v.DURATION_OF:
            duration = token
            if ref_mask:
                made.add(token, weight, ref_mask)
            continue
        if token not in _CONTENT:
            duration = _DEFAULT
        if token in _EVENTS and not (made.taught.ids and made.taught.ids[-1] == duration):
            made.add(duration, weight, ref_mask)
            ref_mask = 0
        made.add(token, weight, ref_mask)
    return made


def fused(pairs: dict[tuple[int, int], int]) -> Scheme:
    """Duration and event as one token; `pairs` has the ids of those that have one."""

    def scheme(row: TaughtSequence) -> Row:
        made, duration = Row(), _DEFAULT
        pending: tuple[float, int] | None = None
        for token, weight, ref_mask in _items(row):
            if token in v.DURATION_OF:
                duration, pending = token, (weight, ref_mask)
                continue
            if token not in _CONTENT:
                duration = _DEFAULT
            if pending is not None and ref_mask == 0:
                weight, ref_mask = max(weight, pending[0]), pending[1]
            pending = None
            if token not in _EVENTS:
                made.add(token, weight, ref_mask)
            elif (duration, token) in pairs:
                made.add(pairs[duration, token], weight, ref_mask, int(token in v.NOTEHEADS))
            else:
                made.add(duration, weight, ref_mask)
                made.add(token, weight)
        return made

    return scheme


def frequent_pairs(rows: list[TaughtSequence]) -> dict[tuple[int, int], int]:
    """Ids, after those of the vocabulary, for the most frequent (duration, event)."""
    counts: Counter[tuple[int, int]] = Counter()
    for row in rows:
        duration = _DEFAULT
        for token in row.ids:
            if token in v.DURATION_OF:
                duration = token
            elif token not in _CONTENT:
                duration = _DEFAULT
            elif token in _EVENTS:
                counts[duration, token] += 1
    return {pair: len(v.TOKENS) + place for place, (pair, _) in enumerate(counts.most_common(N_FUSED))}


def absolute_pitch(row: TaughtSequence) -> Row:
    """Notes count from C4, and alterations from the natural."""
    made, fifths = Row(), 0
    lowest_pitch: tuple[int, int] | None = None
    for token, weight, ref_mask in _items(row):
        if token in _KEYS:
            fifths = _KEYS[token]
        if token in v.NOTE_OF:
            steps, alter = v.NOTE_OF[token]
            lowest_pitch = (steps, alter)
            token = _absolute(steps, alter, fifths)
        elif token in v.UP_OF and lowest_pitch is not None:
            up, alter = v.UP_OF[token]
            lowest_pitch = (lowest_pitch[0] + up, alter)
            token = v.UP_IDS.get((up, _alteration(lowest_pitch[0], alter, fifths)), token)
        made.add(token, weight, ref_mask)
    return made


def _absolute(steps: int, alter: int, fifths: int) -> int:
    position = steps + (4 * fifths) % 7
    return v.NOTE_IDS.get((position, _alteration(steps, alter, fifths)), v.NOTE_IDS[steps, alter])


def _alteration(steps: int, alter: int, fifths: int) -> int:
    """The alteration itself of a note that is `alter` off the signature."""
    letter = (steps + 4 * fifths) % 7  # 0 is C
    place = (letter * 2 + 1) % 7 if letter != 3 else 0  # F C G D A E B, 0 to 6
    if fifths > 0:
        return alter + int(place < fifths)
    return alter - int(place >= 7 + fifths)


def schemes(rows: list[TaughtSequence]) -> dict[str, Scheme]:
    """Every scheme by name; `rows` say which pairs are frequent."""
    return {
        "ours": ours,
        "duration each note": duration_each_note,
        "fused": fused(frequent_pairs(rows)),
        "absolute pitch": absolute_pitch,
        "no measure numbers": no_measure_numbers,
        "no references": no_references,
        "references read": references_read,
    }


class Rows:
    """The rows of a sampler, before they are made into batches."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def batch(self, step: int, scheme: Scheme, length: int) -> tuple[Batch, list[list[int]]]:
        """A batch in a scheme, and the noteheads of each token of each row."""
        rows = [scheme(row).cut(length + 1) for row in self.rows(step)]
        return Batch.of([row.taught for row in rows], length), [row.notes for row in rows]

    def rows(self, step: int) -> list[TaughtSequence]:
        """The rows of a step in our own scheme, without padding."""
        batch = self._sampler.batch(step)
        arrays = (batch.inputs, batch.weights, batch.ref_masks)
        return [_unpadded(*(array[row].tolist() for array in arrays)) for row in range(len(batch.inputs))]


def _unpadded(ids: list[int], weights: list[float], ref_masks: list[int]) -> TaughtSequence:
    """A row of a batch as it was laid out; what a batch says of a token stands one place before it."""
    length = ids.index(v.PAD) if v.PAD in ids else len(ids)
    return TaughtSequence(ids[:length], [0.0, *weights][:length], [0, *ref_masks][:length])


def train(
    scheme: Scheme, data: Rows, config: RunConfig, minutes: float, vocabulary_size: int
) -> tuple[torch.nn.Module, int]:
    """Train the configured network on a scheme for so many minutes; gives it and the tokens that it has seen."""
    torch.manual_seed(config.training.seed)
    torch._inductor.config.fallback_random = True
    network = build_model(ModelConfig(**{**vars(config.model), "vocabulary_size": vocabulary_size}))
    forward = torch.compile(network.forward)
    optimizer = torch.optim.AdamW(
        network.parameters(), betas=(0.9, 0.95), weight_decay=config.training.weight_decay, fused=True
    )
    step, n_tokens, fraction = 0, 0, 0.0
    while fraction < 1:
        batch, _ = data.batch(step, scheme, config.model.block_size)
        inputs, targets, masks, weights = _tensors(batch)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config.training, fraction)
        with torch.autocast("cpu", torch.bfloat16):
            logits = forward(inputs)
        loss = next_token_loss(logits, targets, masks, weights).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), config.training.clip)
        optimizer.step()
        if step == 0:
            started = time.monotonic()  # compiling does not count
        step, n_tokens = step + 1, n_tokens + inputs.numel()
        fraction = (time.monotonic() - started) / (60 * minutes)
    return network, n_tokens


def _tensors(batch: Batch) -> tuple[Tensor, ...]:
    arrays = (batch.inputs, batch.targets, batch.ref_masks, batch.weights)
    return tuple(torch.from_numpy(array) for array in arrays)


@torch.no_grad()
def measure(network: torch.nn.Module, scheme: Scheme, data: Rows, block_size: int) -> dict[str, float]:
    """Bits a note of all genres and of folk, and the share of folk measures that are right."""
    network.eval()
    nats: defaultdict[str, float] = defaultdict(float)
    notes: Counter[str] = Counter()
    n_tokens, n_right, n_measures = 0, 0, 0
    for step in range(N_VALIDATION_BATCHES):
        batch, noteheads = data.batch(step, scheme, block_size)
        inputs, targets, masks, weights = _tensors(batch)
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(inputs)
        costs = position_costs(logits, targets, masks) * (weights > 0)
        right = _is_right(logits, targets, masks) | (weights == 0)
        for row, counted in enumerate(noteheads):
            genres = ["all", *(["folk"] if inputs[row, 1] == _FOLK else [])]
            for genre in genres:
                nats[genre] += float(costs[row].sum())
                notes[genre] += sum(counted)
            n_tokens += len(counted)
            if "folk" in genres:
                tally = list(_measures(inputs[row], right[row], counted))
                n_right += tally.count(True)
                n_measures += len(tally)
    bits = {genre: nats[genre] / math.log(2) / notes[genre] for genre in ("all", "folk")}
    return {
        "bits_all": bits["all"],
        "bits_folk": bits["folk"],
        "right": n_right / n_measures,
        "n_measures": n_measures,
        "tokens_per_note": n_tokens / notes["all"],
    }


def _is_right(logits: Tensor, targets: Tensor, masks: Tensor) -> Tensor:
    best = logits.argmax(-1)
    back = best - v.FIRST_REFERENCE
    refers = (back >= 0) & (back < v.N_REFERENCES)
    said = ((masks >> back.clamp(0, v.N_REFERENCES - 1)) & 1).bool() & refers
    return torch.where(masks != 0, said, best == targets)


def _measures(inputs: Tensor, right: Tensor, notes: list[int]) -> Iterator[bool]:
    """Whether each whole measure with notes is right, from the sixth of its tune on."""
    tokens = inputs.tolist()
    starts = [place for place, token in enumerate(tokens) if token in _MEASURES]
    number = 0
    for start, end in pairwise(starts):
        number = 0 if v.BOS in tokens[start - 8 : start] else number + 1
        if number >= 5 and v.BOS not in tokens[start:end] and any(notes[start:end]):
            # The prediction of token i stands at position i - 1.
            yield bool(right[start : end - 1].all())


app = typer.Typer(add_completion=False)


@app.command()
def main(
    dataset: Annotated[Path, typer.Argument(help="Dataset folder.")],
    out: Annotated[Path, typer.Option(help="Folder for the results; what is there is not done again.")],
    minutes: Annotated[float, typer.Option(help="Training of each scheme.")] = 5.0,
    only: Annotated[str, typer.Option(help="One scheme, by name.")] = "",
) -> None:
    """Train the small network on each scheme and write a table."""
    console = Console(stderr=True)
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    config = load_config("release")
    data = Dataset.open(dataset)
    training, validation = _rows(data, config)
    drawn = [row for step in range(200) for row in training.rows(step)]
    for name, scheme in schemes(drawn).items():
        file = out / f"{name.replace(' ', '-')}.json"
        if file.exists() or (only and only != name):
            continue
        console.print(f"{name}: {minutes:g} minutes")
        size = len(v.TOKENS) + (N_FUSED if name == "fused" else 0)
        network, n_tokens = train(scheme, training, config, minutes, size)
        figures = measure(network, scheme, validation, config.model.block_size)
        weights = sum(weight.numel() for weight in network.parameters())
        row = {"scheme": name, "weights": weights, "tokens": n_tokens, "minutes": minutes, **figures}
        file.write_text(json.dumps(row, indent=2) + "\n", encoding="utf-8")
        console.print(row)
    (out / "schemes.md").write_text(table([json.loads(one.read_text()) for one in sorted(out.glob("*.json"))]))


def _rows(data: Dataset, config: RunConfig) -> tuple[Rows, Rows]:
    training, size = config.training, config.model.block_size
    tables = list(data.tables("train").values())
    sampler = Sampler(tables, config.sampler, block_size=2 * size, batch_size=training.batch_size, seed=training.seed)
    held_out = list(data.tables("valid").values())
    plain = SamplerConfig.plain(config.sampler.shares)
    return Rows(sampler), Rows(Sampler(held_out, plain, block_size=MUSIC_TOKENS, batch_size=training.batch_size))


def table(rows: list[dict[str, Any]]) -> str:
    """The results as Markdown, ours first."""
    lines = [
        "| scheme | weights | tokens/note | tokens seen | bits/note, all | folk | folk measures right |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for row in sorted(rows, key=lambda one: (one["scheme"] != "ours", one["bits_folk"])):
        lines.append(
            f"| {row['scheme']} | {row['weights'] / 1e6:.2f}M | {row['tokens_per_note']:.2f} | "
            f"{row['tokens'] / 1e6:.2f}M | {row['bits_all']:.3f} | {row['bits_folk']:.3f} | {row['right']:.1%} |"
        )
    return "\n".join([*lines, "", f"{describe_machine()}; {describe_versions()}.", ""])


if __name__ == "__main__":
    app()
