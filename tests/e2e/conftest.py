"""The model that the end-to-end tests run: the shipped one, or the bundle that GHOSTNOTE_TEST_MODEL names."""

from __future__ import annotations

import os

import pytest

from inference.bundle import find_bundle
from inference.errors import BundleNotFound


@pytest.fixture(scope="session")
def model() -> str:
    """The folder of the bundle; without one the tests are skipped, and say so."""
    try:
        return str(find_bundle(os.environ.get("GHOSTNOTE_TEST_MODEL", "")))
    except BundleNotFound as error:
        pytest.skip(f"NO BUNDLE SHIPPED: {error}")
