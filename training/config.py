"""What a training run is set to, read from TOML.

A configuration has three tables, whose keys are the attributes of the classes below (and of `ModelConfig` and
`SamplerConfig`): `[model]`, `[sampler]` and `[training]`. What is left out has its default; what is unknown is refused.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeVar

from notation.tokens.vocabulary import TOKENS
from training.dataset.sampler import SamplerConfig
from training.models import ModelConfig

_Settings = TypeVar("_Settings")


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained.

    Attributes:
        minutes: time of the run; if not 0, the schedule follows the time spent, and `steps` does not count.
        clock: what all minutes here are of: the `wall` clock, or the work of this process's `processor` threads
            together, by which runs can be compared on a machine that has other things to do.
        steps: steps of the run, if `minutes` is 0.
        batch_size: rows a step, of the model's `block_size` tokens; processes that train together share them.
        learning_rate: at its peak.
        schedule: `cosine` falls from the peak all the way; `wsd` holds it, and falls in the last `decay` of the run.
        warmup: share of the run in which the rate rises from 0.
        decay: share of the run in which `wsd` falls.
        final_rate: share of the peak that the schedule ends with.
        optimizer: `muon` turns the gradient of every hidden matrix into the nearest orthogonal one (Jordan et al.,
            2024, kellerjordan.github.io/posts/muon), scaled so that a rate means what it means to AdamW (Liu et al.,
            arXiv 2502.16982), and leaves embeddings, gains and biases to AdamW; `adamw` takes that for all.
        weight_decay: of matrices; gains and biases have none.
        beta1, beta2: of AdamW.
        clip: largest norm of the gradient.
        precision: `bf16` computes matrix products in bfloat16, `fp32` does not; `auto` takes what is faster here.
        compile: whether torch compiles the model first.
        workers: processes that make batches ahead; 0 makes them in the training process.
        checkpoint_minutes: time between checkpoints.
        validation_minutes: time between validations; with `minutes` 0 there is one at the end only.
        validation_batches: batches of the fixed validation sample.
        patience: validations without a better one after which a timed run ends; the model is then the best that was
            validated. 0 never ends early and keeps the last.
        log_steps: steps between lines of the log.
        seed: of the weights and of the windows.
    """

    minutes: float = 0.0
    clock: Literal["wall", "processor"] = "wall"
    steps: int = 1000
    batch_size: int = 20
    learning_rate: float = 1.5e-3
    schedule: Literal["cosine", "wsd"] = "cosine"
    warmup: float = 0.02
    decay: float = 0.3
    final_rate: float = 0.02
    optimizer: Literal["muon", "adamw"] = "adamw"
    weight_decay: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.95
    clip: float = 1.0
    precision: Literal["bf16", "fp32", "auto"] = "bf16"
    compile: bool = False
    workers: int = 0
    checkpoint_minutes: float = 5.0
    validation_minutes: float = 5.0
    validation_batches: int = 8
    patience: int = 0
    log_steps: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        for name, choices in (
            ("clock", ("wall", "processor")),
            ("schedule", ("cosine", "wsd")),
            ("optimizer", ("muon", "adamw")),
            ("precision", ("bf16", "fp32", "auto")),
        ):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} is {getattr(self, name)!r}: choose among {', '.join(choices)}.")
        if self.minutes <= 0 and self.steps <= 0:
            raise ValueError("neither minutes nor steps of training: set one of them.")


@dataclass(frozen=True)
class RunConfig:
    """All of a run."""

    model: ModelConfig
    sampler: SamplerConfig = field(default_factory=SamplerConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def as_dict(self) -> dict[str, Any]:
        """As plain numbers, strings and dicts."""
        return asdict(self)


def load_config(name: str, *, minutes: float | None = None, seed: int | None = None) -> RunConfig:
    """Read a configuration.

    Args:
        name: of one in this package (`small`, `release`), or the path of a TOML file.
        minutes: instead of what it says.
        seed: likewise.

    Raises:
        FileNotFoundError: there is no such configuration.
        ValueError: it is not TOML, or says something unknown or impossible.
    """
    path = files("training") / "configs" / f"{name}.toml"
    text = path.read_text(encoding="utf-8") if path.is_file() else _read(name)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"configuration '{name}' is not TOML: {error}.") from error
    return _run_config(f"configuration '{name}'", content, minutes, seed)


def load_run_config(path: Path, *, minutes: float | None = None, seed: int | None = None) -> RunConfig:
    """Read what a run was set to, from the `config.json` in its folder; otherwise as `load_config`.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it says something that this build does not know.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"'{path.parent}' holds no run to go on with: begin it without --resume.") from error
    return _run_config(str(path), content, minutes, seed)


def _run_config(name: str, content: Mapping[str, Any], minutes: float | None, seed: int | None) -> RunConfig:
    unknown = sorted(set(content) - {"model", "sampler", "training"})
    if unknown:
        raise ValueError(f"{name} has a table [{unknown[0]}]: it may have model, sampler and training.")
    model = {"architecture": "llama", "vocabulary_size": len(TOKENS), **content.get("model", {})}
    config = RunConfig(
        _filled(ModelConfig, model, "model"),
        _filled(SamplerConfig, content.get("sampler", {}), "sampler"),
        _filled(TrainingConfig, content.get("training", {}), "training"),
    )
    training = config.training
    if minutes is not None:
        training = replace(training, minutes=minutes)
    if seed is not None:
        training = replace(training, seed=seed)
    return replace(config, training=training)


def _read(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        folder = files("training") / "configs"
        known = sorted(path.name.removesuffix(".toml") for path in folder.iterdir() if path.name.endswith(".toml"))
        raise FileNotFoundError(f"no configuration '{name}': name a file, or one of {', '.join(known)}.") from error


def _filled(kind: type[_Settings], values: Mapping[str, Any], table: str) -> _Settings:
    known = {item.name for item in fields(kind)}  # type: ignore[arg-type]  # every kind is a dataclass
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(f"[{table}] has no setting '{unknown[0]}': it has {', '.join(sorted(known))}.")
    return kind(**values)
