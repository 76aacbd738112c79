-- :Ghostnote {what}. Each is one function of `ghostnote`.

local M = {}

local function value_of(word)
  local known = { ["true"] = true, ["false"] = false }
  if known[word] ~= nil then
    return known[word]
  end
  return tonumber(word) or word
end

local function say(text)
  vim.api.nvim_echo({ { text } }, false, {})
end

local RUN = {
  suggest = function(g)
    -- Commands are given in normal mode, ghost text stands in insert mode: behind what the cursor is on.
    vim.cmd("startinsert!")
    vim.schedule(g.suggest)
  end,
  accept = function(g)
    g.accept()
  end,
  ["accept-beat"] = function(g)
    g.accept_beat()
  end,
  ["accept-measure"] = function(g)
    g.accept_measure()
  end,
  ["accept-note"] = function(g)
    g.accept_note()
  end,
  ["accept-phrase"] = function(g)
    g.accept_phrase()
  end,
  dismiss = function(g)
    g.dismiss()
  end,
  next = function(g)
    g.next()
  end,
  previous = function(g)
    g.previous()
  end,
  enable = function(g)
    g.enable(true)
  end,
  disable = function(g)
    g.enable(false)
  end,
  toggle = function(g)
    g.toggle()
  end,
  restart = function(g)
    g.restart()
  end,
  status = function(g)
    local status = g.status()
    say(status ~= "" and status or "ghostnote: no server in this buffer; see :checkhealth ghostnote")
  end,
  log = function()
    vim.cmd("tabedit " .. vim.fn.fnameescape(vim.lsp.get_log_path and vim.lsp.get_log_path() or vim.lsp.log.get_filename()))
  end,
  set = function(g, assignment)
    local name, value = (assignment or ""):match("^(%a+)=(.*)$")
    if not name then
      error("give a setting and its value, such as :Ghostnote set measures=2", 0)
    end
    g.set(name, value_of(value))
  end,
}

local SETTINGS = { "candidates=", "delayMs=", "diagnostics=", "measures=", "model=", "provider=", "temperature=", "threads=", "trigger=" }

function M.run(words)
  local what = words[1] or "status"
  local run = RUN[what]
  if not run then
    local known = vim.tbl_keys(RUN)
    table.sort(known)
    vim.notify(("There is no :Ghostnote %s; there are %s"):format(what, table.concat(known, ", ")), vim.log.levels.ERROR)
    return
  end
  local fine, problem = pcall(run, require("ghostnote"), words[2])
  if not fine then
    vim.notify("Ghostnote: " .. tostring(problem), vim.log.levels.ERROR)
  end
end

function M.complete(begun, line)
  local choices = line:match("^%s*Ghostnote%s+set%s") and SETTINGS or vim.tbl_keys(RUN)
  local fitting = vim.tbl_filter(function(one)
    return vim.startswith(one, begun)
  end, choices)
  table.sort(fitting)
  return fitting
end

return M
