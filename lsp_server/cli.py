"""The program `ghostnote`.

Editors run `ghostnote serve` or `ghostnote serve --stdio` and wait for the answer to `initialize`. The library that
reads command lines takes a fifth of that time to import, so these two calls are understood without it; everything
else, and every other way of serving, is read by `lsp_server.program`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsp_server.settings import Settings

_AS_EDITORS_CALL = (["serve"], ["serve", "--stdio"])


def main() -> None:
    """Run the program."""
    if sys.argv[1:] in _AS_EDITORS_CALL:
        sys.exit(serve_editor())
    from lsp_server.program import app

    app()


def serve_editor(settings: Settings | None = None) -> int:
    """Serve one client over standard input and output; gives the exit code."""
    from lsp_server import garbage

    with garbage.spared():  # what is imported stays: to search it again and again takes a tenth of the time
        from lsp_server.log import log_to_standard_error
        from lsp_server.settings import Settings
        from lsp_server.transports import House, serve_stdio
    log_to_standard_error()
    return serve_stdio(House(settings or Settings()))
