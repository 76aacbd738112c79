"""The model that tests run: the shipped one, or the bundle that GHOSTNOTE_TEST_MODEL names."""

from __future__ import annotations

import os

import pytest

from inference.bundle import find_bundle


@pytest.fixture(scope="session")
def model() -> str:
    """The folder of the shipped bundle, or of the one that GHOSTNOTE_TEST_MODEL names; it is an error to have none."""
    return str(find_bundle(os.environ.get("GHOSTNOTE_TEST_MODEL", "")))
