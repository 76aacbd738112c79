"""Settings as clients send them, right and wrong."""

from __future__ import annotations

from dataclasses import fields

import pytest

from lsp_server.settings import Settings, key_of, section_of, updated


def test_every_setting_is_read() -> None:
    section = {
        "measures": 2,
        "candidates": 5,
        "temperature": 0.8,
        "trigger": "manual",
        "delayMs": 300,
        "model": "/bundle",
        "provider": "cpu",
        "threads": 2,
        "diagnostics": False,
    }
    assert set(section) == {key_of(field.name) for field in fields(Settings)}
    assert updated(Settings(), section) == (Settings(2, 5, 0.8, "manual", 300, "/bundle", "cpu", 2, False), [])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("measures", 0, id="too few measures"),
        pytest.param("measures", True, id="a truth value is no number"),
        pytest.param("measures", "2", id="digits in quotes are no number"),
        pytest.param("candidates", 1.5, id="half a candidate"),
        pytest.param("temperature", -1, id="a temperature below zero"),
        pytest.param("temperature", float("nan"), id="no number at all"),
        pytest.param("trigger", "always", id="an unknown trigger"),
        pytest.param("trigger", ["manual"], id="a list of triggers"),
        pytest.param("delayMs", 1e9, id="a delay of weeks"),
        pytest.param("model", 7, id="a model that is a number"),
        pytest.param("provider", "tpu", id="an unknown provider"),
        pytest.param("threads", 0, id="no threads"),
        pytest.param("diagnostics", "yes", id="a truth value in words"),
    ],
)
def test_a_wrong_value_is_reported_and_the_old_one_stays(key: str, value: object) -> None:
    before = Settings(measures=3, trigger="manual")
    after, problems = updated(before, {key: value, "candidates" if key != "candidates" else "threads": 2})
    assert after == updated(before, {"candidates" if key != "candidates" else "threads": 2})[0]
    assert len(problems) == 1
    assert f"ghostnote.{key} is {value!r} but must be" in problems[0]


@pytest.mark.parametrize(
    ("sent", "section"),
    [
        pytest.param({"ghostnote": {"measures": 2}, "editor": {}}, {"measures": 2}, id="everything"),
        pytest.param({"measures": 2}, {"measures": 2}, id="the section alone"),
        pytest.param(None, {}, id="nothing"),
        pytest.param([1, 2], {}, id="a list"),
        pytest.param("text", {}, id="a text"),
    ],
)
def test_the_section_is_found(sent: object, section: dict[str, object]) -> None:
    assert section_of(sent) == section


def test_null_and_unknown_names_change_nothing() -> None:
    assert updated(Settings(), {"measures": None, "trace.server": "verbose"}) == (Settings(), [])
