-- The server, one for all buffers. From Neovim 0.7 on; what the versions call differently is told apart here.

local config = require("ghostnote.config")

local M = {}

local NAME = "ghostnote"
local told_missing = false

--- The running client of a buffer, or nil.
function M.of(buf)
  local get = vim.lsp.get_clients or vim.lsp.get_active_clients
  for _, client in ipairs(get({ name = NAME })) do
    -- 0.7 knows no filter; later ones filter by name already.
    if client.name == NAME and (buf == nil or vim.lsp.buf_is_attached(buf, client.id)) then
      return client
    end
  end
end

local function method(client, name, ...)
  if vim.fn.has("nvim-0.11") == 1 then
    return client[name](client, ...)
  end
  return client[name](...)
end

--- Ask; gives the number of the request, or nil if the server is gone.
function M.request(client, what, params, handler, buf)
  local sent, id = method(client, "request", what, params, handler, buf)
  return sent and id or nil
end

function M.cancel(client, id)
  method(client, "cancel_request", id)
end

local function on_exit(code, signal)
  if signal == 15 or (code == 0 and signal == 0) then
    return
  end
  vim.schedule(function()
    local message = "Ghostnote's server ended (exit code %d, signal %d). See :Ghostnote log; :Ghostnote restart"
    vim.notify(message:format(code, signal), vim.log.levels.ERROR)
  end)
end

local function options_of(buf)
  local settings = { ghostnote = config.get().settings }
  if next(settings.ghostnote) == nil then
    settings.ghostnote = vim.empty_dict()
  end
  local capabilities = vim.lsp.protocol.make_client_capabilities()
  capabilities.textDocument.inlineCompletion = { dynamicRegistration = false }
  return {
    name = NAME,
    cmd = config.get().cmd,
    root_dir = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(buf), ":p:h"),
    capabilities = capabilities,
    settings = settings,
    init_options = settings,
    on_exit = on_exit,
    get_language_id = function(_, filetype)
      return filetype
    end,
  }
end

local function start(options, buf)
  if vim.lsp.start then
    return vim.lsp.start(options, {
      bufnr = buf,
      reuse_client = function(client)
        return client.name == NAME
      end,
    })
  end
  local running = M.of()
  local id = running and running.id or vim.lsp.start_client(options)
  if id then
    vim.lsp.buf_attach_client(buf, id)
  end
  return id
end

--- Start the server, or share the one that runs; whether there is one now.
function M.attach(buf)
  local program = config.get().cmd[1]
  if vim.fn.executable(program) == 0 then
    if not told_missing then
      told_missing = true
      local message = "Ghostnote: cannot start '%s': no such program. Install Ghostnote (its README says how), or name it in cmd"
      vim.notify(message:format(program), vim.log.levels.ERROR)
    end
    return false
  end
  return start(options_of(buf), buf) ~= nil
end

--- Tell the server that settings have changed.
function M.push_settings()
  local client = M.of()
  if client then
    client.config.settings = { ghostnote = config.get().settings }
    method(client, "notify", "workspace/didChangeConfiguration", { settings = client.config.settings })
  end
end

--- End the server; `when_gone` is called once it has ended.
function M.stop(when_gone)
  local client = M.of()
  if client then
    method(client, "stop", false)
  end
  local waited = 0
  local function look()
    waited = waited + 50
    if M.of() and waited < 3000 then
      return vim.defer_fn(look, 50)
    end
    when_gone()
  end
  look()
end

return M
