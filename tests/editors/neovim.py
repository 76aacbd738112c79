"""A real Neovim without a window, driven from outside through its own remote interface."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.editors.programs import ROOT, Program, environment
from tests.editors.waiting import until

PLUGIN = ROOT / "editors" / "neovim"

PROBE = """
function! Probe(code, file) abort
  " Long answers come shortened through --remote-expr, so they go to a file.
  return writefile([json_encode(luaeval('Ran(_A)', a:code))], a:file)
endfunction
lua << END
function Ran(code)
  local value = assert(loadstring(code))()
  if value == nil then return vim.NIL end
  return value
end
function Ghost()
  local found = {}
  for name, id in pairs(vim.api.nvim_get_namespaces()) do
    if name == "ghostnote" or name == "nvim.lsp.inline_completion" then
      for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, id, 0, -1, { details = true })) do
        local lines = { mark[4].virt_text }
        vim.list_extend(lines, mark[4].virt_lines or {})
        local texts = {}
        for _, chunks in ipairs(lines) do
          local text = ""
          for _, chunk in ipairs(chunks) do
            if chunk[2] == "GhostnoteSuggestion" or chunk[2] == "ComplHint" then text = text .. chunk[1] end
          end
          table.insert(texts, text)
        end
        table.insert(found, { by = name, row = mark[2], col = mark[3], text = table.concat(texts, "\\n") })
      end
    end
  end
  return found[1]
end
Notified = {}
vim.notify = function(text) table.insert(Notified, text) end
END
"""


class Neovim:
    """A running Neovim.

    Attributes:
        program: how it was started.
        socket: where it listens.
        env: its environment.
    """

    def __init__(self, program: Program, socket: Path, env: dict[str, str]) -> None:
        self.program = program
        self.socket = socket
        self.env = env

    def _remote(self, *words: str) -> str:
        command = [*self.program.command, "--clean", "--headless", "--server", str(self.socket), *words]
        done = subprocess.run(command, capture_output=True, text=True, env=self.env, timeout=30)
        assert done.returncode == 0, done.stderr or done.stdout
        return done.stdout + done.stderr

    def lua(self, code: str) -> Any:
        """Run Lua; gives what it returns."""
        quoted = code.replace("'", "''")
        file = self.socket.with_name("answer.json")
        file.unlink(missing_ok=True)
        said = self._remote("--remote-expr", f"Probe('{quoted}', '{file}')")
        assert file.exists(), f"Neovim failed on {code!r}: {said}"
        return json.loads(file.read_text(encoding="utf-8"))

    def keys(self, keys: str) -> None:
        """Press keys, in Neovim's notation."""
        self._remote("--remote-send", keys)

    def ghost(self) -> dict[str, Any] | None:
        """The ghost text: who shows it, row, column, text; None if there is none."""
        shown: dict[str, Any] | None = self.lua("return Ghost()")
        return shown

    def text(self) -> str:
        """The text of the buffer."""
        return "\n".join(self.lua("return vim.api.nvim_buf_get_lines(0, 0, -1, false)")) + "\n"

    def wait_for_ghost(self) -> dict[str, Any]:
        """Wait until there is ghost text."""
        return until(self.ghost, f"ghost text; the screen says {self.lua('return Notified')}") or {}

    def wait_for_server(self) -> None:
        """Wait until the server has initialized the buffer."""
        code = "local c = require('ghostnote.client').of(0) return c ~= nil and c.server_capabilities ~= nil"
        until(lambda: self.lua(code), "the server")


@contextmanager
def neovim(
    program: Program, folder: Path, file: Path, options: dict[str, Any] | None, extra: dict[str, str] | None = None
) -> Iterator[Neovim]:
    """A Neovim with the plugin, editing a file; `options` go to `vim.g.ghostnote` (None: the plugin is not there)."""
    (folder / "probe.vim").write_text(PROBE, encoding="utf-8")
    (folder / "options.json").write_text(json.dumps(options or {}), encoding="utf-8")
    env = environment(folder, program.environment | (extra or {}))
    given = f"let g:ghostnote = json_decode(readfile('{folder / 'options.json'}')[0])"
    command = [*program.command, "--clean", "--headless", "--listen", str(folder / "nvim.sock"), "-n"]
    command += [
        "--cmd",
        f"set runtimepath^={PLUGIN}",
        "--cmd",
        f"source {folder / 'probe.vim'}",
        "--cmd",
        given,
        str(file),
    ]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env, cwd=folder
    ) as process:
        one = Neovim(program, folder / "nvim.sock", env)
        try:
            until(one.socket.exists, "Neovim's socket")
            yield one
        finally:
            process.terminate()
            process.wait(timeout=20)
