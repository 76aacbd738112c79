"""What a model is trained to do, one file an objective."""

from __future__ import annotations

from training.objectives.next_token import LossSums, next_token_loss

__all__ = ["LossSums", "next_token_loss"]
