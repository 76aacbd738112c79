"""What the server answers: one module a method, or a few that belong together; `lsp_server.server` lists them."""
