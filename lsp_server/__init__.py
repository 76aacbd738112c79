"""The language server and the program `ghostnote`. The only package that knows LSP."""
