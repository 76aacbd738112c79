-- Our own ghost text, by extmarks, for Neovim 0.7 and later.
--
-- There is one cursor, so there is at most one suggestion: `shown`. An answer is shown only if the buffer and the
-- cursor are as they were when it was asked for. What is typed through a suggestion moves it on without a request.
-- Rows and columns count from 0, columns in bytes, as in the nvim_buf functions.

local client_of = require("ghostnote.client")
local parts = require("ghostnote.parts")

local M = {}

local METHOD = "textDocument/inlineCompletion"
local INVOKED, AUTOMATIC = 1, 2
local namespace = vim.api.nvim_create_namespace("ghostnote")

local shown -- { buf, row, col, after, texts, index }: `after` is what follows the cursor on its line
local pending -- { client, id, place }
local dismissed -- the place where the user wanted none

vim.api.nvim_set_hl(0, "GhostnoteSuggestion", { default = true, link = "Comment" })
vim.api.nvim_set_hl(0, "GhostnoteCount", { default = true, link = "NonText" })

local function cursor()
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  return row - 1, col
end

local function line_at(row)
  return vim.api.nvim_buf_get_lines(0, row, row + 1, false)[1] or ""
end

-- Everything an answer depends on, as one string.
local function place()
  local row, col = cursor()
  local buf = vim.api.nvim_get_current_buf()
  return table.concat({ buf, vim.api.nvim_buf_get_changedtick(buf), row, col }, ":")
end

local function typing()
  return vim.api.nvim_get_mode().mode:sub(1, 1) == "i"
end

local function lines_of(text)
  return vim.split((text:gsub("\r", "")), "\n", { plain = true })
end

local function spaced(text)
  return (text:gsub("\t", (" "):rep(vim.bo.tabstop)))
end

-- The suggestion is drawn over the rest of the line, and the rest again behind it: 0.7 has no inline virtual text.
local function draw()
  vim.api.nvim_buf_clear_namespace(shown.buf, namespace, 0, -1)
  local lines = {}
  for _, line in ipairs(lines_of(shown.texts[shown.index])) do
    table.insert(lines, { { spaced(line), "GhostnoteSuggestion" } })
  end
  if #lines > 1 then
    local missing = vim.fn.strdisplaywidth(spaced(shown.after)) - vim.fn.strdisplaywidth(lines[1][1][1])
    table.insert(lines[1], { (" "):rep(math.max(0, missing)), "" })
  end
  table.insert(lines[#lines], { spaced(shown.after), "" })
  if #shown.texts > 1 then
    table.insert(lines[#lines], { (" (%d/%d)"):format(shown.index, #shown.texts), "GhostnoteCount" })
  end
  local first = table.remove(lines, 1)
  vim.api.nvim_buf_set_extmark(shown.buf, namespace, shown.row, shown.col, {
    virt_text = first,
    virt_text_pos = "overlay",
    virt_lines = #lines > 0 and lines or nil,
    hl_mode = "combine",
  })
end

local function cancel()
  if pending then
    client_of.cancel(pending.client, pending.id)
    pending = nil
  end
end

--- Take the ghost text away.
function M.clear()
  cancel()
  if shown then
    if vim.api.nvim_buf_is_valid(shown.buf) then
      vim.api.nvim_buf_clear_namespace(shown.buf, namespace, 0, -1)
    end
    shown = nil
  end
end

function M.visible()
  return shown ~= nil
end

--- Which candidate of how many is shown, and its text; nil if none is.
function M.current()
  if shown then
    return { text = shown.texts[shown.index], index = shown.index, count = #shown.texts }
  end
end

local function is_here(range, position)
  local function same(one)
    return one.line == position.line and one.character == position.character
  end
  return range == nil or range == vim.NIL or (same(range.start) and same(range["end"]))
end

-- The texts to insert at the cursor. Without a selected popup entry nothing else is answered; if it is, it is not shown.
local function texts_of(result, position)
  local texts = {}
  for _, item in ipairs((result or {}).items or result or {}) do
    if type(item.insertText) == "string" and item.insertText ~= "" and is_here(item.range, position) then
      table.insert(texts, item.insertText)
    end
  end
  return texts
end

local function show(texts)
  local row, col = cursor()
  local buf = vim.api.nvim_get_current_buf()
  shown = { buf = buf, row = row, col = col, after = line_at(row):sub(col + 1), texts = texts, index = 1 }
  draw()
end

local function request(kind, on_shown)
  local buf = vim.api.nvim_get_current_buf()
  local client = client_of.of(buf)
  if not client then
    return
  end
  cancel()
  local asked = place()
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = kind }
  local function answered(err, result)
    if not pending or pending.place ~= asked then
      return
    end
    pending = nil
    if err or result == vim.NIL or place() ~= asked or not typing() or vim.fn.pumvisible() == 1 then
      return
    end
    local texts = texts_of(result, params.position)
    if #texts > 0 then
      show(texts)
      if on_shown then
        on_shown()
      end
    end
  end
  pending = { client = client, place = asked }
  local id = client_of.request(client, METHOD, params, answered, buf)
  if id and pending then
    pending.id = id
  else
    pending = nil
  end
end

-- Whether what was typed since is how the suggestion begins; if so, the suggestion is moved behind it.
local function typed_through()
  local row, col = cursor()
  local line = line_at(row)
  if row ~= shown.row or col < shown.col or line:sub(col + 1) ~= shown.after then
    return false
  end
  local typed = line:sub(shown.col + 1, col)
  if typed == "" then
    return true
  end
  local fitting = vim.tbl_filter(function(text)
    return vim.startswith(text, typed) and text:sub(#typed + 1):find("%S") ~= nil
  end, shown.texts)
  if #fitting == 0 or not vim.startswith(shown.texts[shown.index], typed) then
    return false
  end
  local kept = shown.texts[shown.index]
  for index, text in ipairs(fitting) do
    shown.index = text == kept and index or shown.index
    fitting[index] = text:sub(#typed + 1)
  end
  shown.texts, shown.col = fitting, col
  draw()
  return true
end

--- Keep the suggestion if what was typed goes on with it, else take it away; whether one is shown or on its way.
function M.follow()
  local here = shown and shown.buf == vim.api.nvim_get_current_buf() and vim.fn.pumvisible() == 0
  if (here and typed_through()) or (pending and pending.place == place()) then
    return true
  end
  M.clear()
  return false
end

--- The cursor moved or the text changed in insert mode.
function M.on_change()
  if not M.follow() and place() ~= dismissed and vim.fn.pumvisible() == 0 and typing() then
    request(AUTOMATIC)
  end
end

--- Ask for several candidates; `on_shown` is called when they are shown.
function M.suggest(on_shown)
  M.clear()
  dismissed = nil
  request(INVOKED, on_shown)
end

--- Show the candidate `step` further; one must be shown.
function M.turn(step)
  shown.index = (shown.index - 1 + step) % #shown.texts + 1
  draw()
end

--- The next candidate (1) or the one before (-1). One that came while typing is alone: the others are asked for first.
function M.select(step)
  if shown and #shown.texts > 1 then
    M.turn(step)
    return
  end
  local seen = shown and shown.texts[1]
  M.suggest(function()
    if shown.texts[1] == seen then
      M.turn(step)
    end
  end)
end

--- Insert the suggestion, or only its first "note", "beat", "measure" or "phrase"; false if none is shown.
function M.accept(unit)
  if not shown or shown.buf ~= vim.api.nvim_get_current_buf() then
    return false
  end
  local row, col, text, after = shown.row, shown.col, shown.texts[shown.index], shown.after
  local taken = unit and parts.first(text, unit, vim.bo.filetype) or text
  local rest = text:sub(#taken + 1)
  M.clear()
  vim.cmd("let &undolevels = &undolevels") -- one `u` undoes the suggestion and nothing else
  local lines = lines_of(taken)
  vim.api.nvim_buf_set_text(0, row, col, row, col, lines)
  local last = row + #lines - 1
  local column = (#lines == 1 and col or 0) + #lines[#lines]
  vim.api.nvim_win_set_cursor(0, { last + 1, column })
  if rest:find("%S") then
    shown = { buf = vim.api.nvim_get_current_buf(), row = last, col = column, after = after, texts = { rest }, index = 1 }
    draw()
  end
  return true
end

--- Take the suggestion away until the cursor moves; false if none is shown.
function M.dismiss()
  if not shown then
    return false
  end
  M.clear()
  dismissed = place()
  return true
end

--- Show ghost text in a buffer while the user types there.
function M.enable(buf)
  local group = vim.api.nvim_create_augroup("ghostnote_ghost_" .. buf, {})
  vim.api.nvim_create_autocmd({ "InsertEnter", "CursorMovedI", "TextChangedI" }, {
    group = group,
    buffer = buf,
    callback = function(event)
      -- While InsertEnter runs the mode is still the old one.
      if event.event == "InsertEnter" then
        vim.schedule(M.on_change)
      else
        M.on_change()
      end
    end,
  })
  vim.api.nvim_create_autocmd({ "InsertLeave", "BufLeave", "CompleteChanged" }, {
    group = group,
    buffer = buf,
    callback = function()
      M.clear()
    end,
  })
end

function M.disable(buf)
  pcall(vim.api.nvim_del_augroup_by_name, "ghostnote_ghost_" .. buf)
  M.clear()
end

return M
