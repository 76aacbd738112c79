"""The judge of validity: the schema of MusicXML 4.0, from the package `musicxml`."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import xmlschema


@cache
def _schema() -> xmlschema.XMLSchema:
    spec = find_spec("musicxml")
    assert spec is not None
    assert spec.origin is not None
    path = next(Path(spec.origin).parent.rglob("musicxml_4_0.xsd"))
    return xmlschema.XMLSchema(str(path), allow="local")


def schema_errors(text: str, limit: int = 3) -> list[str]:
    """What the schema says against a document; empty if it is valid."""
    without_doctype = re.sub(r"<!DOCTYPE[^>]*>", "", text)
    errors = _schema().iter_errors(without_doctype)
    return [f"{error.path}: {error.reason}" for error, _ in zip(errors, range(limit), strict=False)]
