"""Reading what the command line is given: a file of any size, encoding and content, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lsp_server.exits import INPUT, USAGE, fail
from lsp_server.limits import MAX_CHARACTERS, too_large
from notation.language import Document, Language, language_of, languages

_MAX_BYTES = 4 * MAX_CHARACTERS


class SourceError(ValueError):
    """The file's content cannot be read as text; the message says why and what to do."""


@dataclass(frozen=True)
class Source:
    """A file that was read.

    Attributes:
        path: as it was given.
        text: its text, unpacked if it was compressed.
        language: its notation language.
    """

    path: Path
    text: str
    language: Language

    def parse(self) -> Document:
        """Parse the text."""
        return self.language.parse(self.text)


def language_for(path: Path) -> Language:
    """The notation language of a file's name; ends the program if there is none."""
    found = language_of(str(path))
    if found is None:
        known = ", ".join(suffix for one in languages() for suffix in one.suffixes)
        fail(f"'{path}' has the suffix '{path.suffix}', which is no notation known here; known are {known}.", USAGE)
    return found


def read(path: Path) -> Source:
    """Read a file.

    Ends the program with a message if the file cannot be opened or is in no known notation.

    Raises:
        SourceError: the content cannot be read.
    """
    language = language_for(path)
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        fail(f"cannot read '{path}': {error.strerror}.", USAGE)
    if len(data) > _MAX_BYTES:
        raise SourceError(f"This file is larger than {_MAX_BYTES:,} bytes. Split it into smaller files.")
    try:
        text = language.decode(data)
    except ValueError as error:
        raise SourceError(str(error)) from error
    if len(text) > MAX_CHARACTERS:
        raise SourceError(too_large(len(text)).message)
    return Source(path, text, language)


def read_or_fail(path: Path) -> Source:
    """Read a file; ends the program with a message if that cannot be done."""
    try:
        return read(path)
    except SourceError as error:
        fail(f"cannot read '{path}': {error}", INPUT)
