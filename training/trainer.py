"""One training run, in a folder of its own:

    model.pt       the model as it stands, for export and evaluation (`training.models.checkpoint`)
    last.ckpt      all that is needed to go on
    config.json    what the run was set to
    logs/          CSV and TensorBoard

A run has either a number of steps or a time. With a time, the learning rate follows the time spent, so the
run ends at the end of its schedule however fast the machine is; time before an interruption counts, time between does
not.

A run that is killed at any moment goes on from its last checkpoint, which is always whole, with the very batches and
the very dropout that it would have had.

Under torchrun the processes share each batch: every one makes its own rows of it, and the loss is the mean over all of
them, so any number of processes that divides the batch learns what one would. The first process alone keeps the clock,
validates, logs and writes.
"""

from __future__ import annotations

import ctypes
import json
import math
import os
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast

import lightning
import torch
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor
from torch.utils.data import DataLoader

from notation.tokens.vocabulary import TOKENS
from training.config import RunConfig, TrainingConfig
from training.corpora import CORPORA
from training.dataset.build import Dataset
from training.dataset.sampler import Batch, BatchDataset, Sampler
from training.models import LanguageModel, build_model
from training.models.checkpoint import save_checkpoint
from training.objectives import next_token_loss
from training.validation import Quality, validate, validation_batches

CHECKPOINT = "last.ckpt"
MODEL = "model.pt"


def learning_rate(config: TrainingConfig, fraction: float) -> float:
    """The rate when `fraction` of the run is over, 0 to 1."""
    if fraction < config.warmup:
        return config.learning_rate * fraction / config.warmup
    if config.schedule == "wsd":
        left = min(1.0, (1 - fraction) / config.decay) if config.decay else 1.0
    else:
        left = (1 + math.cos(math.pi * (fraction - config.warmup) / (1 - config.warmup))) / 2
    return config.learning_rate * (config.final_rate + (1 - config.final_rate) * max(0.0, left))


class TrainingModule(lightning.LightningModule):
    """The network with its loss, its optimiser and the run's own clock."""

    def __init__(self, network: LanguageModel, config: TrainingConfig) -> None:
        super().__init__()
        self.network = network
        self.run_config = config
        self.seconds = 0.0  # how long the run has gone on, interruptions left out; of the first process, for all alike
        self.n_tokens = 0  # of all processes
        self.recent_loss = math.nan
        self._started = 0.0
        self._forward: Callable[[Tensor], Tensor] = _compiled(network) if config.compile else network.forward

    @property
    def fraction(self) -> float:
        """How much of the run is over, 0 to 1."""
        if self.run_config.minutes > 0:
            return min(1.0, self.seconds / (60 * self.run_config.minutes))
        return min(1.0, self.global_step / self.run_config.steps)

    def on_train_start(self) -> None:
        """Start the clock: what came before was preparation."""
        self._started = self._now() - self.seconds

    def _now(self) -> float:
        return time.process_time() if self.run_config.clock == "processor" else time.monotonic()

    def read_clock(self) -> None:
        """Set `seconds`. All processes must call it together."""
        seconds = self._now() - self._started
        self.seconds = self.trainer.strategy.broadcast(seconds) if self.trainer.world_size > 1 else seconds

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Set the rate for where the run is; what dropout draws follows from seed, step and process, as windows do."""
        torch.manual_seed((self.run_config.seed << 32) + (self.global_rank << 24) + self.global_step)
        rate = learning_rate(self.run_config, self.fraction)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = rate

    def training_step(self, batch: tuple[Tensor, ...], batch_idx: int) -> Tensor:
        """The loss of a batch: inputs, targets, ref_masks, weights, each (B, T)."""
        inputs, targets, ref_masks, weights = batch
        sums = next_token_loss(self._forward(inputs), targets, ref_masks, weights)
        # Gradients are averaged over the processes: with the mean weight below, that is the loss of the whole batch.
        loss = sums._replace(weight=self._mean_over_processes(sums.weight)).loss
        self.n_tokens += inputs.numel() * self.trainer.world_size
        if self.global_step % self.run_config.log_steps == 0:
            self.recent_loss = float(self._mean_over_processes(loss.detach()))
        return loss

    def _mean_over_processes(self, value: Tensor) -> Tensor:
        if self.trainer.world_size == 1:
            return value
        return cast(Tensor, self.trainer.strategy.reduce(value.clone(), reduce_op="mean"))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """As the configuration says; matrices decay, gains and biases do not."""
        config = self.run_config
        weights = [weight for weight in self.network.parameters() if weight.requires_grad]
        matrices = [weight for weight in weights if weight.dim() >= 2]
        others = [weight for weight in weights if weight.dim() < 2]
        betas = (config.beta1, config.beta2)
        if config.optimizer == "adamw":
            groups = [
                {"params": matrices, "weight_decay": config.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ]
            return torch.optim.AdamW(groups, lr=config.learning_rate, betas=betas, fused=True)
        from pytorch_optimizer import Muon  # imported slowly

        tables = _token_tables(self.network)
        adamw = {"use_muon": False, "lr": config.learning_rate, "betas": betas, "eps": 1e-8}
        hidden = [weight for weight in matrices if weight.dim() == 2 and id(weight) not in tables]
        rest = [weight for weight in matrices if weight.dim() > 2 or id(weight) in tables]
        return Muon(
            [
                {"params": hidden, "use_muon": True, "use_adjusted_lr": True, "weight_decay": config.weight_decay},
                {"params": rest, "weight_decay": config.weight_decay, **adamw},
                {"params": others, "weight_decay": 0.0, **adamw},
            ],
            lr=config.learning_rate,
        )

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        """Clip the norm; Lightning's own way refuses fused optimisers, which only loss scaling would disturb."""
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.run_config.clip)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the clock."""
        checkpoint["spent"] = self.seconds
        checkpoint["n_tokens"] = self.n_tokens

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Set the clock."""
        self.seconds = checkpoint["spent"]
        self.n_tokens = checkpoint["n_tokens"]


class Housekeeping(lightning.Callback):
    """Progress, log, validation and checkpoints, each by the clock; and the end of a timed run."""

    def __init__(self, out: Path, config: RunConfig, data: Mapping[str, Any], validation: list[Batch]) -> None:
        self._out = out
        self._config = config
        self._data = data
        self._validation = validation
        self._quality: dict[str, Quality] = {}
        self._best = math.inf  # nats a token of the best validation so far
        self._n_worse = 0  # validations since then
        self._next_checkpoint = self._next_validation = 0.0
        self._mark = (0.0, 0)
        self._console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=self._console)
        self._task = self._progress.add_task("training", total=1.0)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Set the alarms."""
        module = _own(pl_module)
        self._mark = (module.seconds, module.n_tokens)
        training = self._config.training
        self._next_checkpoint = module.seconds + 60 * training.checkpoint_minutes
        self._next_validation = module.seconds + 60 * training.validation_minutes
        if trainer.is_global_zero:
            self._progress.start()

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any, **__: Any
    ) -> None:
        """See what is due."""
        module, training = _own(pl_module), self._config.training
        module.read_clock()
        if trainer.global_step % training.log_steps == 0:
            self._log(trainer, module)
        if training.minutes > 0 and module.seconds >= self._next_validation:
            self._validate(trainer, module)
            module.read_clock()
            self._mark = (module.seconds, module.n_tokens)
            self._next_validation = module.seconds + 60 * training.validation_minutes
            if training.patience and trainer.strategy.broadcast(self._n_worse >= training.patience):
                trainer.should_stop = True
        if module.seconds >= self._next_checkpoint:
            self._save(trainer, module)
            self._next_checkpoint = module.seconds + 60 * training.checkpoint_minutes
        if training.minutes > 0 and module.fraction >= 1:
            trainer.should_stop = True

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Validate and save a last time."""
        module = _own(pl_module)
        self._validate(trainer, module)
        self._save(trainer, module)

    def teardown(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str) -> None:
        """Give the terminal back, also after a failure."""
        self._progress.stop()

    def state_dict(self) -> dict[str, Any]:
        """What a run that goes on must know of its validations."""
        return {"best": self._best, "n_worse": self._n_worse}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take it up again."""
        self._best, self._n_worse = state_dict["best"], state_dict["n_worse"]

    def _log(self, trainer: lightning.Trainer, module: TrainingModule) -> None:
        seconds, n_tokens = module.seconds, module.n_tokens
        speed = (n_tokens - self._mark[1]) / max(1e-9, seconds - self._mark[0])
        self._mark = (seconds, n_tokens)
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        row = {"loss": module.recent_loss, "learning_rate": rate, "tokens_per_second": speed, "minutes": seconds / 60}
        for logger in trainer.loggers:
            logger.log_metrics(row, step=trainer.global_step)
        text = f"step {trainer.global_step:,}  loss {module.recent_loss:.3f}  {speed:,.0f} tokens/s"
        self._progress.update(self._task, completed=module.fraction, description=text)

    def _validate(self, trainer: lightning.Trainer, module: TrainingModule) -> None:
        if not self._validation or not trainer.is_global_zero:
            return
        self._quality = validate(module.network, self._validation, bf16=self._config.training.precision == "bf16")
        row = {f"valid_bits_per_note/{name}": quality.bits_per_note for name, quality in self._quality.items()}
        row["valid_nats_per_token"] = self._quality["all"].nats_per_token
        row["minutes"] = module.seconds / 60
        for logger in trainer.loggers:
            logger.log_metrics(row, step=trainer.global_step)
            logger.save()
        genres = ", ".join(f"{name} {quality.bits_per_note:.3f}" for name, quality in sorted(self._quality.items()))
        self._console.print(
            f"{module.seconds / 60:.1f} min, step {trainer.global_step:,}, loss {module.recent_loss:.3f}: "
            f"{row['valid_nats_per_token']:.4f} nats a token; bits a note: {genres}",
            soft_wrap=True,
        )
        self._n_worse += 1
        if row["valid_nats_per_token"] < self._best:
            self._best, self._n_worse = row["valid_nats_per_token"], 0
            if self._config.training.patience:
                self._save_model(trainer, module)

    def _save(self, trainer: lightning.Trainer, module: TrainingModule) -> None:
        partial = self._out / f"{CHECKPOINT}.partial"
        trainer.save_checkpoint(partial, weights_only=False)  # the first process writes, all wait
        if not trainer.is_global_zero:
            return
        if not (self._config.training.patience and self._validation):
            self._save_model(trainer, module)
        partial.replace(self._out / CHECKPOINT)

    def _save_model(self, trainer: lightning.Trainer, module: TrainingModule) -> None:
        figures = {
            "minutes": module.seconds / 60,
            "steps": trainer.global_step,
            "tokens": module.n_tokens,
            "valid": {
                name: {"nats_per_token": quality.nats_per_token, "bits_per_note": quality.bits_per_note}
                for name, quality in self._quality.items()
            },
            "config": self._config.as_dict(),
            "data": dict(self._data),
        }
        save_checkpoint(self._out / MODEL, module.network, TOKENS, figures)


def _token_tables(network: LanguageModel) -> set[int]:
    """The ids of matrices with a row for each token or position: in a step most of their rows learn nothing."""
    size = network.config.vocabulary_size
    embeddings = {id(module.weight) for module in network.modules() if isinstance(module, torch.nn.Embedding)}
    return embeddings | {id(weight) for weight in network.parameters() if size in weight.shape}


def _compiled(network: LanguageModel) -> Callable[[Tensor], Tensor]:
    """The network's forward, compiled.

    Dropout draws with torch's own generator: the one that compiled code brings costs more on a CPU than all else.
    """
    torch._inductor.config.fallback_random = True
    compiled: Callable[[Tensor], Tensor] = torch.compile(network.forward)
    return compiled


def _own(module: lightning.LightningModule) -> TrainingModule:
    assert isinstance(module, TrainingModule)
    return module


def train(
    dataset: Dataset,
    out: Path,
    config: RunConfig,
    *,
    weights: Mapping[str, Tensor] | None = None,
    n_threads: int = 0,
    resume: bool = False,
    wandb: bool = False,
    validation: list[Batch] | None = None,
) -> Path:
    """Train a model, or go on with a run.

    Args:
        dataset: what is learned and validated on.
        out: the run's folder.
        config: what it is set to; a run that goes on must be set to the same.
        weights: the network's `state_dict` to begin with; random ones without it.
        n_threads: threads of torch; 0 leaves its own choice.
        resume: go on from the last checkpoint of `out`.
        wandb: log to Weights & Biases too.
        validation: what to validate on instead of a sample of the dataset's split.

    Returns:
        The path of the model.

    Raises:
        FileNotFoundError: there is no checkpoint to go on from.
        ValueError: the dataset or the number of processes does not fit, `out` holds a run and `resume` is not asked
            for, Weights & Biases is not installed, or the run diverged before a first model was kept.
    """
    checkpoint = checkpoint_to_resume(out, resume)
    if n_threads:
        torch.set_num_threads(n_threads)
    if config.training.precision == "auto":
        config = replace(config, training=replace(config.training, precision=faster_precision()))
    _keep_memory()
    lightning.seed_everything(config.training.seed, verbose=False)
    network = build_model(config.model)
    if weights is not None:
        network.load_state_dict(weights)
    if validation is None:
        validation = _validation_sample(dataset, config)
    housekeeping = Housekeeping(out, config, describe_data(dataset), validation)
    trainer = _trainer(out, config, housekeeping, wandb=wandb)
    first_step = 0
    if checkpoint is not None:
        first_step = torch.load(checkpoint, map_location="cpu", weights_only=True)["global_step"]
    loader = _loader(dataset, config, first_step, trainer.global_rank, trainer.world_size)
    if trainer.is_global_zero:
        out.mkdir(parents=True, exist_ok=True)
        (out / "config.json").write_text(json.dumps(config.as_dict(), indent=2) + "\n", encoding="utf-8")
    # Lightning cannot know that the loader begins at the right step by itself.
    warnings.filterwarnings("ignore", message=".*your dataloader is not resumable")
    trainer.fit(TrainingModule(network, config.training), loader, ckpt_path=checkpoint, weights_only=True)
    if trainer.world_size > 1:
        torch.distributed.destroy_process_group()
    if trainer.is_global_zero and not (out / MODEL).is_file():
        raise ValueError(
            f"the run in '{out}' diverged: no validation gave a number, so there is no model. Begin it anew with a "
            "lower learning_rate."
        )
    return out / MODEL


def faster_precision() -> Literal["bf16", "fp32"]:
    """In which of the two this machine multiplies matrices faster: processors without bfloat16 imitate it slowly."""
    if torch.cuda.is_available():
        return "bf16"
    spent = {torch.float32: math.inf, torch.bfloat16: math.inf}
    for dtype in (*spent, *spent, *spent):
        one, other = torch.ones(2048, 256, dtype=dtype), torch.ones(256, 1024, dtype=dtype)
        start = time.perf_counter()
        torch.mm(one, other)
        spent[dtype] = min(spent[dtype], time.perf_counter() - start)
    return "bf16" if spent[torch.bfloat16] < spent[torch.float32] else "fp32"


def checkpoint_to_resume(out: Path, resume: bool) -> Path | None:
    """The checkpoint that a run in a folder goes on from; None if it begins there.

    Raises:
        FileNotFoundError: there is none to go on from.
        ValueError: the folder holds a run, and `resume` is not asked for.
    """
    checkpoint = out / CHECKPOINT
    if not resume:
        if checkpoint.exists():
            raise ValueError(f"'{out}' holds a run already: go on with it (--resume), or choose another folder.")
        return None
    if not checkpoint.exists():
        raise FileNotFoundError(f"'{out}' holds no {CHECKPOINT} to go on from: begin the run without --resume.")
    return checkpoint


def _trainer(out: Path, config: RunConfig, housekeeping: Housekeeping, *, wandb: bool) -> lightning.Trainer:
    training = config.training
    n_processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # on this machine; set by torchrun
    n_machines = int(os.environ.get("WORLD_SIZE", "1")) // n_processes
    if training.batch_size % (n_processes * n_machines):
        raise ValueError(
            f"a batch of {training.batch_size} rows cannot be shared by {n_processes * n_machines} processes: "
            "make batch_size a multiple of their number."
        )
    return lightning.Trainer(
        accelerator="auto",
        devices=n_processes,
        num_nodes=n_machines,
        strategy="ddp" if n_processes * n_machines > 1 else "auto",
        precision="bf16-mixed" if training.precision == "bf16" else "32-true",
        max_epochs=-1,
        max_steps=-1 if training.minutes > 0 else training.steps,
        logger=_loggers(out, wandb=wandb),
        callbacks=[housekeeping],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,  # each process makes its own rows
        log_every_n_steps=training.log_steps,
    )


def _loggers(out: Path, *, wandb: bool) -> Sequence[Logger]:
    loggers: list[Logger] = [
        CSVLogger(out, name="logs", flush_logs_every_n_steps=1),
        TensorBoardLogger(out, name="logs"),
    ]
    if wandb:
        try:
            loggers.append(WandbLogger(name=out.name, group=out.name, save_dir=out, project="ghostnote"))
        except ModuleNotFoundError as error:
            raise ValueError(
                "Weights & Biases is not installed: `pip install wandb`, or train without --wandb."
            ) from error
    return loggers


def _loader(dataset: Dataset, config: RunConfig, first_step: int, rank: int, n_ranks: int) -> DataLoader[Any]:
    training = config.training
    sampler = Sampler(
        list(dataset.tables("train").values()),
        config.sampler,
        block_size=config.model.block_size,
        batch_size=training.batch_size,
        seed=training.seed,
    )
    batches = BatchDataset(sampler, first_step, rank, n_ranks)
    # The dataset has the methods that torch asks for, and is none by class: `sampler` knows nothing of torch.
    return DataLoader(batches, batch_size=None, num_workers=training.workers)  # type: ignore[arg-type]


def _validation_sample(dataset: Dataset, config: RunConfig) -> list[Batch]:
    training = config.training
    return validation_batches(
        list(dataset.tables("valid").values()),
        config.sampler,
        block_size=config.model.block_size,
        batch_size=training.batch_size,
        n_batches=training.validation_batches,
    )


def describe_data(dataset: Dataset) -> dict[str, Any]:
    """What a model card must say of the data: corpora with licence, attribution and sizes."""
    report = json.loads((dataset.folder / "report.json").read_text(encoding="utf-8"))
    return {
        corpus: {
            "licence": CORPORA[corpus].licence,
            "attribution": CORPORA[corpus].attribution,
            "source": CORPORA[corpus].source_url,
            "release": CORPORA[corpus].release,
            **{name: report["corpora"][corpus][name] for name in ("n_pieces", "n_measures", "n_notes", "n_tokens")},
        }
        for corpus in dataset.corpora
    }


def _keep_memory() -> None:
    """Ask glibc to keep the memory that it is given back: a fifth more steps a second where steps run on the CPU."""
    try:
        libc = ctypes.CDLL("libc.so.6")
    except OSError:
        return  # another C library, which keeps memory by its own rules
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3
    for parameter, size in ((mmap_threshold, 2**30), (trim_threshold, 2**31 - 1), (top_pad, 2**28)):
        libc.mallopt(parameter, size)
