"""Which of this machine's execution providers runs the model?

A provider that is asked for and cannot be had is never fatal: the CPU takes over and one message says so. The message
is returned, not logged; whoever talks to the user shows it once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import onnxruntime

Provider = Literal["auto", "cpu", "cuda"]
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


@dataclass(frozen=True, slots=True)
class Choice:
    """What to ask the runtime for.

    Attributes:
        providers: the runtime's names, best first; the CPU is always the last.
        message: why it is not what was asked for; None if it is.
    """

    providers: tuple[str, ...]
    message: str | None = None

    @property
    def name(self) -> Literal["cpu", "cuda"]:
        """The provider that should do the work."""
        return "cuda" if self.providers[0] == CUDA else "cpu"


def choose_provider(provider: str = "auto", available: Sequence[str] | None = None) -> Choice:
    """Turn a setting into the runtime's names.

    Args:
        provider: `auto` (CUDA where the runtime has it, else the CPU), `cpu` or `cuda`.
        available: the runtime's providers; None asks the runtime.

    Raises:
        ValueError: no such setting.
    """
    if provider not in get_args(Provider):
        raise ValueError(f"unknown provider {provider!r}: choose one of {', '.join(get_args(Provider))}.")
    found = onnxruntime.get_available_providers() if available is None else available
    if provider == "cpu" or (provider == "auto" and CUDA not in found):
        return Choice((CPU,))
    if CUDA not in found:
        return fall_back(f"this onnxruntime has only {', '.join(found)}")
    return Choice((CUDA, CPU))


def fall_back(reason: str) -> Choice:
    """The CPU in CUDA's place, with the message that says why."""
    return Choice(
        (CPU,),
        f"the model runs on the CPU, not on CUDA: {reason}. To use the graphics card, install onnxruntime-gpu in place "
        "of onnxruntime, with the CUDA version that it names; to silence this, set the provider to cpu.",
    )
