-- The keys of a buffer. A key that has nothing to do here does what it did before.

local M = {}

local function feed(keys, remap)
  local raw = vim.api.nvim_replace_termcodes(keys, true, true, true)
  vim.api.nvim_feedkeys(raw, remap and "im" or "in", false)
end

local function what_it_did(lhs)
  local before = vim.fn.maparg(lhs, "i", false, true)
  if vim.tbl_isempty(before) then
    return function()
      feed(lhs, false)
    end
  end
  local remap = before.noremap == 0
  return function()
    if before.callback then
      local result = before.callback()
      if before.expr == 1 and result then
        feed(result, remap)
      end
    else
      feed(before.expr == 1 and vim.api.nvim_eval(before.rhs) or before.rhs, remap)
    end
  end
end

--- Map the keys of a buffer; each action tells whether it had something to do.
function M.map(buf, keys, actions)
  for name, lhs in pairs(keys) do
    if lhs and actions[name] then
      local otherwise = what_it_did(lhs)
      vim.keymap.set("i", lhs, function()
        if not actions[name]() then
          otherwise()
        end
      end, { buffer = buf, desc = "Ghostnote: " .. name:gsub("_", " ") })
    end
  end
end

return M
