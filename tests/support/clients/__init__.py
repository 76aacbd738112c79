"""What editors tell a language server about themselves, as far as Ghostnote could care; written by hand for the tests.

They differ where servers go wrong: the order of position encodings, inline completion, dynamic registration,
documentation formats, work-done progress.
"""

from __future__ import annotations

import json
from pathlib import Path

from lsprotocol import types
from lsprotocol.converters import get_converter

PROFILES = ("vscode", "neovim", "eglot", "helix")


def initialize_params(profile: str, options: object = None, folder: Path | None = None) -> types.InitializeParams:
    """What an editor sends with `initialize`, with a folder open or none."""
    raw = json.loads((Path(__file__).parent / f"{profile}.json").read_text(encoding="utf-8"))
    raw |= {"processId": None, "rootUri": None, "initializationOptions": options}
    if folder is not None:
        raw["workspaceFolders"] = [{"uri": folder.as_uri(), "name": folder.name}]
    return get_converter().structure(raw, types.InitializeParams)
