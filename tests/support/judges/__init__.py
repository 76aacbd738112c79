"""Independent judges: is a suggestion valid to programs that are not ours?

`judge_abc` and `judge_musicxml` insert nothing themselves: they compare a text with the reference it was made from
and give the complaints that are new, each as `judge: place: message`. An empty list is an acquittal by all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tests.support.judges import abc, musicxml
from tests.support.judges.complaint import Complaint, inserted_span, new_complaints
from tests.support.judges.tools import (
    ABC_JUDGES,
    JUDGES,
    MUSICXML_JUDGES,
    MissingJudgeError,
    available,
    check,
    must_be_complete,
)

__all__ = [
    "ABC_JUDGES",
    "JUDGES",
    "MUSICXML_JUDGES",
    "MissingJudgeError",
    "available",
    "judge_abc",
    "judge_abc_batch",
    "judge_musicxml",
    "judge_musicxml_batch",
    "need",
]


def judge_abc(text: str, reference: str = "", judges: Sequence[str] = ABC_JUDGES) -> list[str]:
    """What the judges have against an ABC text that they do not have against the reference.

    Args:
        text: with the suggestion.
        reference: the document without it; empty to hear every complaint about `text`.
        judges: whom to ask; all by default.

    Raises:
        MissingJudgeError: a judge is not installed.
    """
    return judge_abc_batch([(text, reference)], judges)[0]


def judge_musicxml(text: str, reference: str = "", judges: Sequence[str] = MUSICXML_JUDGES) -> list[str]:
    """What the judges have against a MusicXML text that they do not have against the reference: see `judge_abc`."""
    return judge_musicxml_batch([(text, reference)], judges)[0]


def judge_abc_batch(pairs: Sequence[tuple[str, str]], judges: Sequence[str] = ABC_JUDGES) -> list[list[str]]:
    """`judge_abc` for many (text, reference) at once, which saves most of the start-up time."""
    return _batch(pairs, judges, abc.complaints)


def judge_musicxml_batch(pairs: Sequence[tuple[str, str]], judges: Sequence[str] = MUSICXML_JUDGES) -> list[list[str]]:
    """`judge_musicxml` for many (text, reference) at once, which saves most of the start-up time."""
    return _batch(pairs, judges, musicxml.complaints)


def need(*judges: str) -> None:
    """Skip the running test loudly if a judge is missing; fail it on CI (where the variable `CI` is set)."""
    try:
        check(judges)
    except MissingJudgeError as missing:
        if must_be_complete():
            pytest.fail(f"on CI every judge must be there: {missing}")
        pytest.skip(str(missing))


def _batch(
    pairs: Sequence[tuple[str, str]],
    judges: Sequence[str],
    ask: Callable[[Sequence[str], Sequence[str]], list[list[Complaint]]],
) -> list[list[str]]:
    texts = list(dict.fromkeys(one for pair in pairs for one in pair if one))
    said = dict(zip(texts, ask(texts, judges), strict=True))
    return [
        [str(one) for one in new_complaints(said[text], said.get(reference, []), inserted_span(text, reference))]
        for text, reference in pairs
    ]
