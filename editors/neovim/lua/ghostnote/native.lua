-- Neovim's own inline completion, 0.12 and later.
--
-- It asks while the user types and so knows one candidate; to choose among several, the buffer is lent to our own ghost
-- text until that is accepted or gone.

local ghost = require("ghostnote.ghost")
local parts = require("ghostnote.parts")

local M = {}

local function set(on, buf)
  vim.lsp.inline_completion.enable(on, { bufnr = buf })
end

--- Insert the suggestion, or only its first "note", "beat", "measure" or "phrase"; false if none is shown.
function M.accept(unit)
  if ghost.visible() then
    return ghost.accept(unit)
  end
  return vim.lsp.inline_completion.get({
    on_accept = function(item)
      if unit and type(item.insert_text) == "string" then
        item.insert_text = parts.first(item.insert_text, unit, vim.bo.filetype)
      end
      return item
    end,
  })
end

local function take_back(buf)
  vim.api.nvim_create_augroup("ghostnote_lent_" .. buf, {})
  set(true, buf)
end

local function lend(buf)
  set(false, buf)
  vim.api.nvim_create_autocmd({ "InsertLeave", "TextChangedI", "CursorMovedI" }, {
    group = vim.api.nvim_create_augroup("ghostnote_lent_" .. buf, {}),
    buffer = buf,
    callback = function(event)
      if event.event == "InsertLeave" then
        ghost.clear()
      end
      if event.event == "InsertLeave" or not ghost.follow() then
        take_back(buf)
      end
    end,
  })
end

--- Ask for several candidates.
function M.suggest()
  lend(vim.api.nvim_get_current_buf())
  ghost.suggest()
end

--- The next candidate (1) or the one before (-1).
function M.select(step)
  if ghost.visible() then
    ghost.select(step)
    return
  end
  lend(vim.api.nvim_get_current_buf())
  ghost.suggest(function()
    ghost.turn(step) -- the server gives the one that was shown first
  end)
end

--- Take the suggestion away until the user types on; false if none is shown.
function M.dismiss()
  if ghost.dismiss() then
    return true
  end
  return vim.lsp.inline_completion.get({
    on_accept = function()
      return nil -- get() has hidden it, and nothing is to be inserted
    end,
  })
end

function M.enable(buf)
  set(true, buf)
end

function M.disable(buf)
  ghost.clear()
  set(false, buf)
end

return M
