"""Bytes to text: UTF-8, Latin-1, byte order marks and named charsets."""

from __future__ import annotations

import pytest

from notation.abc import decode_bytes


@pytest.mark.parametrize(
    ("data", "text", "n_findings"),
    [
        pytest.param("T:Köln".encode(), "T:Köln", 0, id="UTF-8"),
        pytest.param("T:Köln".encode("utf-8-sig"), "T:Köln", 0, id="byte order mark"),
        pytest.param("T:Köln".encode("utf-16"), "T:Köln", 0, id="UTF-16"),
        pytest.param("T:Köln".encode("latin-1"), "T:Köln", 0, id="Latin-1"),
        pytest.param("%%abc-charset cp1250\nT:ő".encode("cp1250"), "%%abc-charset cp1250\nT:ő", 0, id="named"),
        pytest.param(b"I:abc-charset nonsense\nT:\xf6", "I:abc-charset nonsense\nT:ö", 1, id="unknown name"),
        pytest.param(b"", "", 0, id="empty"),
        pytest.param(bytes(range(128, 256)), bytes(range(128, 256)).decode("latin-1"), 0, id="binary"),
    ],
)
def test_decode(data: bytes, text: str, n_findings: int) -> None:
    decoded, findings = decode_bytes(data)
    assert decoded == text
    assert len(findings) == n_findings
