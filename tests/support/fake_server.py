"""The real server over the fake language and model: `python -m tests.support.fake_server --stdio|--tcp|--ws`."""

from __future__ import annotations

import logging
import sys

import notation.language

# The registry is the one door to languages.
notation.language._LANGUAGES.clear()
notation.language._LANGUAGES["abc"] = "tests.support.fake_language"


def _say(port: int) -> None:
    print(f"listening {port}", file=sys.stderr, flush=True)


def main() -> int:
    """Serve until the client is gone."""
    from lsp_server.models import ModelChoice, ModelUnavailableError
    from lsp_server.settings import Settings
    from lsp_server.transports import House, serve_stdio, serve_tcp, serve_websocket
    from tests.support.fake_model import FakeCompleter

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    completer = FakeCompleter()

    def loader(choice: ModelChoice) -> FakeCompleter:
        if choice.model:
            raise ModelUnavailableError(f"there is no model '{choice.model}'. Choose another.")
        return completer

    house = House(Settings(delay_ms=0), loader)
    how = sys.argv[1]
    if how == "--tcp":
        serve_tcp(house, "127.0.0.1", 0, _say)
    elif how == "--ws":
        serve_websocket(house, "127.0.0.1", 0, _say)
    else:
        return serve_stdio(house)
    return 0


if __name__ == "__main__":
    sys.exit(main())
