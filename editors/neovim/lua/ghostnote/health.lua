-- :checkhealth ghostnote

local config = require("ghostnote.config")

local M = {}

-- 0.10 dropped the prefix `report_`.
local function report(kind, ...)
  local health = vim.fn.has("nvim-0.8") == 1 and vim.health or require("health")
  local say = health[kind] or health["report_" .. kind]
  say(...)
end

local function check_editor()
  if vim.fn.has("nvim-0.7") == 0 then
    report("error", "Neovim 0.7 or later is needed")
    return
  end
  local showers = {
    native = "Neovim's own inline completion shows the suggestions",
    own = "the plugin's own ghost text shows the suggestions",
    off = "ghost text is off; the completion menu still has the suggestions",
  }
  local ghost = config.ghost()
  if ghost == "native" and not vim.lsp.inline_completion then
    report("error", 'ghost is "native", but this Neovim has no inline completion', { 'Set ghost = "auto", or use Neovim 0.12' })
  else
    report("ok", showers[ghost])
  end
end

local function check_server()
  local cmd = config.get().cmd
  local program = vim.fn.exepath(cmd[1])
  if program == "" then
    report("error", ("the server '%s' is not found"):format(cmd[1]), {
      "Install Ghostnote: its README says how",
      "or name the program: require('ghostnote').setup({ cmd = { '/path/to/ghostnote', 'serve' } })",
    })
    return
  end
  report("ok", "the server is " .. table.concat(cmd, " "))
  if vim.fn.fnamemodify(program, ":t:r") == "ghostnote" then
    local said = vim.fn.systemlist({ program, "doctor" })
    local level = vim.v.shell_error == 0 and "info" or "warn"
    report(level, "ghostnote doctor says:\n" .. table.concat(said, "\n"))
  end
end

local function check_running()
  local client = require("ghostnote.client").of()
  if client then
    report("ok", ("the server runs as client %d"):format(client.id))
  else
    report("info", "the server does not run now; it starts with the first file of type " .. table.concat(config.get().filetypes, ", "))
  end
end

function M.check()
  report("start", "ghostnote")
  check_editor()
  check_server()
  check_running()
end

return M
