"""What the user can set, and what is wrong with what was set.

The client sends the section `ghostnote`, with names in camelCase, in `initializationOptions`, in answer to
`workspace/configuration`, or with `workspace/didChangeConfiguration`. A wrong value is reported and the value that
was in force stays; unknown names are left to the editor's own extension.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

SECTION = "ghostnote"


@dataclass(frozen=True)
class Settings:
    """Everything that can be set.

    Attributes:
        measures: how many measures a suggestion has.
        candidates: how many different suggestions are given when the user asks for them.
        temperature: 0 gives the likeliest music, 1 samples as the model learned.
        trigger: `automatic`, or `manual` to suggest only when asked.
        delay_ms: how long an automatic suggestion waits for the user to pause.
        model: the folder of a model bundle; empty for the one that is shipped.
        provider: where the model runs: `auto`, `cpu` or `cuda`.
        threads: how many processor threads the model may use.
        diagnostics: whether problems in the notation are shown.
    """

    measures: int = 1
    candidates: int = 3
    temperature: float = 0.0
    trigger: str = "automatic"
    delay_ms: int = 75
    model: str = ""
    provider: str = "auto"
    threads: int = 1
    diagnostics: bool = True


@dataclass(frozen=True)
class _Rule:
    """What a value must be.

    Attributes:
        accepts: whether a JSON value is right.
        wanted: what is wanted, for the message.
    """

    accepts: Callable[[Any], bool]
    wanted: str


def _integer(low: int, high: int) -> _Rule:
    return _Rule(
        lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high,
        f"a whole number from {low} to {high}",
    )


def _number(low: float, high: float) -> _Rule:
    return _Rule(
        lambda value: isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high,
        f"a number from {low:g} to {high:g}",
    )


def _one_of(*choices: str) -> _Rule:
    return _Rule(lambda value: value in choices, " or ".join(f'"{choice}"' for choice in choices))


_RULES = {
    "measures": _integer(1, 16),
    "candidates": _integer(1, 10),
    "temperature": _number(0, 2),
    "trigger": _one_of("automatic", "manual"),
    "delay_ms": _integer(0, 10_000),
    "model": _Rule(lambda value: isinstance(value, str), "a path, or an empty string for the model that is shipped"),
    "provider": _one_of("auto", "cpu", "cuda"),
    "threads": _integer(1, 64),
    "diagnostics": _Rule(lambda value: isinstance(value, bool), "true or false"),
}


def key_of(name: str) -> str:
    """The name of a setting as the client writes it: `delay_ms` is `delayMs`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def section_of(value: object) -> Mapping[str, Any]:
    """Our section of what a client sent, whether it sent the section alone or everything."""
    if not isinstance(value, Mapping):
        return {}
    inner = value.get(SECTION)
    return inner if isinstance(inner, Mapping) else value


def updated(settings: Settings, section: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    """The settings after a client's section, and a message for each value that is wrong.

    null means "not set": what was in force stays.
    """
    changes: dict[str, Any] = {}
    problems = []
    for field in fields(Settings):
        key = key_of(field.name)
        value = section.get(key)
        if value is None:
            continue
        rule = _RULES[field.name]
        if rule.accepts(value):
            changes[field.name] = value
        else:
            kept = getattr(settings, field.name)
            problems.append(f"{SECTION}.{key} is {value!r} but must be {rule.wanted}; {kept!r} stays in force.")
    return replace(settings, **changes), problems
