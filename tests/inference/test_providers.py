"""What a provider setting comes to on machines with and without CUDA."""

from __future__ import annotations

import pytest

from inference.providers import CPU, CUDA, choose_provider


@pytest.mark.parametrize(
    ("setting", "available", "providers"),
    [
        pytest.param("auto", [CPU], (CPU,), id="auto without CUDA"),
        pytest.param("auto", [CUDA, CPU], (CUDA, CPU), id="auto with CUDA"),
        pytest.param("cpu", [CUDA, CPU], (CPU,), id="the CPU where CUDA is"),
        pytest.param("cuda", [CUDA, CPU], (CUDA, CPU), id="CUDA where it is"),
    ],
)
def test_what_was_asked_for_needs_no_message(setting: str, available: list[str], providers: tuple[str, ...]) -> None:
    choice = choose_provider(setting, available)
    assert choice.providers == providers
    assert choice.message is None


def test_cuda_that_is_missing_says_why_and_what_to_do() -> None:
    choice = choose_provider("cuda", [CPU])
    assert choice.name == "cpu"
    assert choice.message is not None
    assert all(word in choice.message for word in (CPU, "onnxruntime-gpu", "set the provider to cpu"))


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'tpu'.*auto, cpu, cuda"):
        choose_provider("tpu", [CPU])
