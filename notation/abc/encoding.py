"""Which text do the bytes of an ABC file hold?

UTF-8, with or without a byte order mark, or what `%%abc-charset` / `I:abc-charset` names, or Latin-1, in which every
sequence of bytes is some text: decoding never fails.

Source: ABC 2.1, section 2.1.
"""

from __future__ import annotations

import codecs
import re

from notation.diagnostic import Diagnostic, Severity
from notation.source import Span

_CHARSET = re.compile(rb"^(?:%%|I:)\s*abc-charset\s+([\w-]{1,20})", re.MULTILINE)
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decode_bytes(data: bytes) -> tuple[str, list[Diagnostic]]:
    """The text of a file, and what was odd about its encoding."""
    if data.startswith(_UTF_16):
        return data.decode("utf-16", errors="replace"), []
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        place = error.start
    match = _CHARSET.search(data[:100_000])
    name = match[1].decode("ascii", errors="replace") if match else "latin-1"
    try:
        return data.decode(name), []
    except (LookupError, ValueError):
        text = data.decode("latin-1")
    message = f"the bytes at {place} are neither UTF-8 nor '{name}' and are read as Latin-1; save the file as UTF-8"
    return text, [Diagnostic("encoding", Severity.WARNING, Span(place, place + 1), message, "ABC 2.1, 2.1")]
