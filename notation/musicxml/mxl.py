"""What text is in a file: plain MusicXML in any encoding, or a compressed `.mxl`?

Bounded: an archive may not hold more than `MAX_ENTRIES` files, and no file of it is unpacked beyond `MAX_BYTES` or
beyond `MAX_RATIO` times its packed size. Nothing is written to disk.

Source: MusicXML 4.0, "Compressed .MXL files"; XML 1.0, appendix F (detection of encodings).
"""

from __future__ import annotations

import codecs
import io
import re
import zipfile
import zlib

from notation.musicxml.tags import attributes, read_elements

MAX_ENTRIES = 1000
MAX_BYTES = 64_000_000
MAX_RATIO = 200
_SMALL = 1_000_000
_CONTAINER = "META-INF/container.xml"
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)


class MxlError(ValueError):
    """A compressed file cannot be read; the message says why and what to do."""


def read_file(data: bytes) -> str:
    """The text of a file's bytes, compressed or not.

    Raises:
        MxlError: it is a ZIP archive that holds no readable score.
    """
    return read_mxl(data) if data[:4] == b"PK\x03\x04" else decode(data)


def decode(data: bytes) -> str:
    """The text of XML bytes: by byte order mark, then by declaration, then as UTF-8 or else Latin-1."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.removeprefix(mark if mark[0] != 0x3C and mark[0] else b"").decode(name, "replace")
    declared = _DECLARED.match(data[:400])
    name = declared[1].decode("ascii") if declared else "utf-8"
    try:
        return data.decode(name)
    except (LookupError, ValueError):
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data.decode("latin-1")


def read_mxl(data: bytes) -> str:
    """The score in a compressed MusicXML file.

    Raises:
        MxlError: it is no ZIP archive, holds no score, or unpacks to more than the limits.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return decode(_unpack(archive, _root_file(archive)))
    except MxlError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, KeyError, IndexError) as error:
        raise MxlError(f"this is not a readable .mxl archive ({error}); save the score again as .musicxml") from error


def write_mxl(text: str) -> bytes:
    """A compressed MusicXML file that holds the text as `score.musicxml`; the same text gives the same bytes."""
    container = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<container>\n  <rootfiles>\n'
        '    <rootfile full-path="score.musicxml" media-type="application/vnd.recordare.musicxml+xml"/>\n'
        "  </rootfiles>\n</container>\n"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in ((_CONTAINER, container), ("score.musicxml", text)):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content.encode("utf-8", "replace"))
    return buffer.getvalue()


def _root_file(archive: zipfile.ZipFile) -> str:
    entries = archive.namelist()
    if len(entries) > MAX_ENTRIES:
        raise MxlError(f"the archive holds {len(entries)} files, more than {MAX_ENTRIES}; save the score again")
    if _CONTAINER in entries:
        container = decode(_unpack(archive, _CONTAINER))
        for element in read_elements(container):
            for rootfile in (found for files in element.all("rootfiles") for found in files.all("rootfile")):
                path = attributes(rootfile.raw_attributes).get("full-path", "")
                if path in entries:
                    return path
    scores = [name for name in entries if not name.startswith("META-INF") and name.endswith((".xml", ".musicxml"))]
    if not scores:
        raise MxlError(f"none of the {len(entries)} files of the archive is a score; save it again as .musicxml")
    return scores[0]


def _unpack(archive: zipfile.ZipFile, name: str) -> bytes:
    packed = archive.getinfo(name).compress_size
    limit = min(MAX_BYTES, max(_SMALL, packed * MAX_RATIO))
    with archive.open(name) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise MxlError(
            f"'{name}' unpacks to more than {limit} bytes from {packed}, which no score needs; save the score again"
        )
    return content
