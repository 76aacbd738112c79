"""`python -m lsp_server` is `ghostnote`."""

from lsp_server.cli import main

main()
