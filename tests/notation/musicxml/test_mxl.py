"""Files: compressed and plain, in any encoding, and archives that mean harm."""

from __future__ import annotations

import contextlib
import io
import zipfile

import pytest

from notation.musicxml import MxlError, decode, parse, read_file, read_mxl, write_mxl
from notation.musicxml.mxl import MAX_ENTRIES
from tests.notation.musicxml.documents import FIRST, document, part

TEXT = document(part("P1", FIRST))
CONTAINER = '<container><rootfiles><rootfile full-path="a/b.xml"/></rootfiles></container>'


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return buffer.getvalue()


def test_writing_and_reading() -> None:
    data = write_mxl(TEXT)
    assert read_mxl(data) == read_file(data) == TEXT
    assert write_mxl(TEXT) == data


def test_the_container_says_which_file_is_the_score() -> None:
    files = {"META-INF/container.xml": CONTAINER.encode(), "a.xml": b"<no/>", "a/b.xml": TEXT.encode()}
    assert read_mxl(archive(files)) == TEXT
    assert read_mxl(archive({"x.musicxml": TEXT.encode()})) == TEXT


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"PK\x03\x04 and nothing else", "not a readable .mxl", id="no archive"),
        pytest.param(write_mxl(TEXT)[:-60], "not a readable .mxl", id="truncated"),
        pytest.param(archive({"readme.txt": b"x"}), "none of the 1 files", id="no score"),
        pytest.param(archive({f"{n}.xml": b"" for n in range(MAX_ENTRIES + 1)}), "holds 1001 files", id="many files"),
        pytest.param(archive({"bomb.xml": b" " * 80_000_000}), "unpacks to more than", id="bomb"),
        pytest.param(
            archive({"META-INF/container.xml": b" " * 20_000_000, "a.xml": b""}),
            "container.xml' unpacks",
            id="container",
        ),
    ],
)
def test_bad_archives_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(MxlError, match=message):
        read_file(data)


def test_a_damaged_archive_is_refused_or_read() -> None:
    data = write_mxl(TEXT)
    for offset in range(0, len(data), 7):
        damaged = data[:offset] + bytes([data[offset] ^ 0xFF]) + data[offset + 1 :]
        with contextlib.suppress(MxlError):
            assert len(parse(read_file(damaged)).scores) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "iso-8859-1"])
def test_encodings(encoding: str) -> None:
    text = TEXT.replace("UTF-8", encoding.removesuffix("-sig")).replace("Air", "Prélude")
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xff\xfe\x00", id="odd UTF-16"),
        pytest.param(b"<?xml version='1.0' encoding='no-such'?><a>\xe9</a>", id="unknown encoding"),
        pytest.param(b"<?xml version='1.0' encoding='utf-8'?><a>\xe9</a>", id="wrong encoding"),
        pytest.param(b"<?xml version='1.0' encoding='rot13'?><a/>", id="no text encoding"),
        pytest.param(b"", id="empty"),
        pytest.param(bytes(range(256)), id="binary"),
    ],
)
def test_bytes_in_no_encoding_are_read_all_the_same(data: bytes) -> None:
    assert len(parse(decode(data)).scores) == 1
