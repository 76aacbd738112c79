-- Ghostnote: the next measures of ABC and MusicXML as ghost text. See :help ghostnote.

local client_of = require("ghostnote.client")
local config = require("ghostnote.config")

local M = {}

local off = {} -- buffers in which the user wants no ghost text
local keyed = {} -- buffers whose keys are mapped

-- What shows the ghost text of a buffer: `ghostnote.native` or `ghostnote.ghost`.
local function shower()
  return config.ghost() == "native" and require("ghostnote.native") or require("ghostnote.ghost")
end

--- Choose options (see `ghostnote.config`); not needed if the defaults are right.
function M.setup(options)
  config.set(options or {})
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buf) then
      M.on_filetype(buf)
    end
  end
end

local function actions()
  return {
    accept = M.accept,
    accept_beat = M.accept_beat,
    accept_measure = M.accept_measure,
    accept_note = M.accept_note,
    accept_phrase = M.accept_phrase,
    dismiss = M.dismiss,
    next = function()
      M.next()
      return true
    end,
    previous = function()
      M.previous()
      return true
    end,
    suggest = function()
      M.suggest()
      return true
    end,
  }
end

--- Start the server for a buffer of one of our filetypes and show ghost text there.
function M.on_filetype(buf)
  if not vim.tbl_contains(config.get().filetypes, vim.bo[buf].filetype) or vim.bo[buf].buftype ~= "" then
    return
  end
  if not client_of.attach(buf) then
    return
  end
  if vim.bo[buf].omnifunc == "" then
    vim.bo[buf].omnifunc = "v:lua.vim.lsp.omnifunc"
  end
  if config.ghost() == "off" or off[buf] then
    return
  end
  shower().enable(buf)
  if not keyed[buf] then
    keyed[buf] = true
    vim.api.nvim_buf_call(buf, function()
      require("ghostnote.keys").map(buf, config.get().keys, actions())
    end)
  end
end

function M.accept()
  return shower().accept()
end

function M.accept_measure()
  return shower().accept("measure")
end

function M.accept_beat()
  return shower().accept("beat")
end

function M.accept_note()
  return shower().accept("note")
end

function M.accept_phrase()
  return shower().accept("phrase")
end

function M.dismiss()
  return shower().dismiss()
end

function M.suggest()
  shower().suggest()
end

function M.next()
  shower().select(1)
end

function M.previous()
  shower().select(-1)
end

--- Show ghost text in the current buffer, or stop showing it.
function M.enable(on)
  local buf = vim.api.nvim_get_current_buf()
  off[buf] = on == false or nil
  if on == false then
    shower().disable(buf)
  else
    M.on_filetype(buf)
  end
end

function M.toggle()
  M.enable(off[vim.api.nvim_get_current_buf()] ~= nil)
end

--- End the server and start it again for every buffer that had it.
function M.restart()
  client_of.stop(function()
    for _, buf in ipairs(vim.api.nvim_list_bufs()) do
      if vim.api.nvim_buf_is_loaded(buf) then
        M.on_filetype(buf)
      end
    end
  end)
end

--- Change one setting of the server, such as `measures`, at once.
function M.set(name, value)
  config.get().settings[name] = value
  client_of.push_settings()
end

--- For a status line: "" where there is no server, else "ghostnote", with the candidate in view.
function M.status()
  local buf = vim.api.nvim_get_current_buf()
  if not client_of.of(buf) then
    return ""
  end
  if off[buf] then
    return "ghostnote off"
  end
  local current = require("ghostnote.ghost").current()
  if current then
    return ("ghostnote %d/%d"):format(current.index, current.count)
  end
  return "ghostnote"
end

return M
