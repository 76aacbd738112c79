"""`ghostnote check`: what is wrong with files, for people and for continuous integration."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from lsp_server.commands.source import SourceError, read
from lsp_server.exits import INPUT
from lsp_server.version import version
from notation.diagnostic import Diagnostic, Severity
from notation.source import NOWHERE, line_and_column

_SARIF_LEVELS = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFORMATION: "note",
    Severity.HINT: "note",
}


class Format(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


@dataclass(frozen=True)
class Finding:
    """A diagnostic of a file, with its place in lines and columns from 1, columns in code points."""

    path: Path
    diagnostic: Diagnostic
    start: tuple[int, int]
    end: tuple[int, int]


def check(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="ABC or MusicXML files.")],
    output: Annotated[Format, typer.Option("--format", help="How to print what is found.")] = Format.TEXT,
) -> None:
    """Report what is wrong with files; exit code 1 if there are errors."""
    findings = [finding for path in files for finding in _find(path)]
    if output is Format.TEXT:
        _print_text(findings, len(files))
    else:
        made = _as_json(files, findings) if output is Format.JSON else _as_sarif(findings)
        print(json.dumps(made, ensure_ascii=False, indent=2))
    if any(one.diagnostic.severity is Severity.ERROR for one in findings):
        raise typer.Exit(INPUT)


def _find(path: Path) -> list[Finding]:
    try:
        source = read(path)
    except SourceError as error:
        return [Finding(path, Diagnostic("unreadable", Severity.ERROR, NOWHERE, str(error)), (1, 1), (1, 1))]
    return [
        Finding(path, one, line_and_column(source.text, one.span.start), line_and_column(source.text, one.span.end))
        for one in source.parse().diagnostics
    ]


def _print_text(findings: list[Finding], n_files: int) -> None:
    for one in findings:
        found = one.diagnostic
        paragraph = f" ({found.paragraph})" if found.paragraph else ""
        place = f"{one.path}:{one.start[0]}:{one.start[1]}"
        print(f"{place}: {found.severity.name.lower()}: {found.message}{paragraph} [{found.code}]")
    errors = sum(one.diagnostic.severity is Severity.ERROR for one in findings)
    typer.echo(f"{n_files} files, {errors} errors, {len(findings) - errors} other findings", err=True)


def _as_json(files: list[Path], findings: list[Finding]) -> dict[str, Any]:
    return {
        "files": [
            {"path": str(path), "diagnostics": [_finding_as_json(one) for one in findings if one.path is path]}
            for path in files
        ]
    }


def _finding_as_json(one: Finding) -> dict[str, Any]:
    return {
        "code": one.diagnostic.code,
        "severity": one.diagnostic.severity.name.lower(),
        "line": one.start[0],
        "column": one.start[1],
        "end_line": one.end[0],
        "end_column": one.end[1],
        "message": one.diagnostic.message,
        "paragraph": one.diagnostic.paragraph,
    }


def _as_sarif(findings: list[Finding]) -> dict[str, Any]:
    """The findings as SARIF 2.1.0 (OASIS), which code hosts show beside the lines."""
    codes = sorted({one.diagnostic.code for one in findings})
    driver = {"name": "ghostnote", "version": version(), "rules": [{"id": code} for code in codes]}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_sarif_result(one) for one in findings],
            }
        ],
    }


def _sarif_result(one: Finding) -> dict[str, Any]:
    region = {
        "startLine": one.start[0],
        "startColumn": one.start[1],
        "endLine": one.end[0],
        "endColumn": one.end[1],
    }
    location = {"artifactLocation": {"uri": one.path.as_posix()}, "region": region}
    return {
        "ruleId": one.diagnostic.code,
        "level": _SARIF_LEVELS[one.diagnostic.severity],
        "message": {"text": one.diagnostic.message},
        "locations": [{"physicalLocation": location}],
    }
