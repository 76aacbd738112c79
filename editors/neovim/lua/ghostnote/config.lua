-- What the user can choose. `setup` or `vim.g.ghostnote` give a table of the same shape; the rest stays as it is here.

local M = {}

M.defaults = {
  cmd = { "ghostnote", "serve" },
  filetypes = { "abc", "musicxml" },
  -- "auto": Neovim's own inline completion from 0.12 on, else our ghost text; "native" or "own" to choose; "off".
  ghost = "auto",
  -- Sent to the server as the section `ghostnote`: measures, candidates, temperature, trigger, delayMs, model ...
  settings = {},
  -- Insert mode, in the buffers of these filetypes. false leaves a key alone.
  keys = {
    accept = "<Tab>",
    accept_phrase = "<M-p>",
    accept_measure = "<M-m>",
    accept_beat = "<M-b>",
    accept_note = "<M-n>",
    next = "<M-.>",
    previous = "<M-,>",
    dismiss = "<C-]>",
    suggest = "<M-s>",
  },
}

local chosen

local function checked(options)
  local unknown = vim.tbl_filter(function(name)
    return M.defaults[name] == nil
  end, vim.tbl_keys(options))
  if #unknown > 0 then
    local known = vim.tbl_keys(M.defaults)
    table.sort(known)
    error(("ghostnote: there is no option '%s'; there are %s"):format(unknown[1], table.concat(known, ", ")), 0)
  end
  if not vim.tbl_contains({ "auto", "native", "own", "off" }, options.ghost or "auto") then
    error(("ghostnote: ghost is '%s' but must be auto, native, own or off"):format(tostring(options.ghost)), 0)
  end
  return options
end

function M.set(options)
  chosen = vim.tbl_deep_extend("force", M.defaults, checked(options))
  if options.cmd then
    chosen.cmd = options.cmd -- lists are replaced, not merged entry by entry
  end
  if options.filetypes then
    chosen.filetypes = options.filetypes
  end
end

function M.get()
  if not chosen then
    M.set(vim.g.ghostnote or {})
  end
  return chosen
end

--- How ghost text is shown: "native", "own" or "off".
function M.ghost()
  local ghost = M.get().ghost
  if ghost ~= "auto" then
    return ghost
  end
  return vim.lsp.inline_completion and "native" or "own"
end

return M
