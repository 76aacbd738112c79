"""How much is remembered, by number and by length."""

from __future__ import annotations

import pytest

from notation import recent
from notation.recent import Recent


@pytest.mark.parametrize(
    ("lengths", "kept"),
    [
        pytest.param([1, 1, 1, 1], [3, 2, 1], id="as many as there may be"),
        pytest.param([10, 40, 40, 20], [3, 2, 1], id="just short enough together"),
        pytest.param([10, 40, 40, 21], [3, 2], id="too long together"),
        pytest.param([500, 500, 500, 500], [3, 2], id="the fewest, however long"),
        pytest.param([500, 1, 1], [2, 1], id="a long one is forgotten first if it is the oldest"),
    ],
)
def test_the_newest_are_remembered(lengths: list[int], kept: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "MOST_CHARACTERS", 100)
    memory: Recent[int] = Recent(3, 2)
    for item, length in enumerate(lengths):
        memory.keep(item, length)
    assert list(memory.items) == kept
    memory.forget()
    assert memory.items == ()
