-- Starts Ghostnote for the buffers it knows, and defines :Ghostnote. Everything else is loaded when it is first needed.

if vim.g.loaded_ghostnote then
  return
end
vim.g.loaded_ghostnote = true

vim.api.nvim_create_autocmd("FileType", {
  group = vim.api.nvim_create_augroup("ghostnote", {}),
  callback = function(event)
    require("ghostnote").on_filetype(event.buf)
  end,
})

vim.api.nvim_create_user_command("Ghostnote", function(command)
  require("ghostnote.commands").run(command.fargs)
end, {
  nargs = "*",
  complete = function(begun, line)
    return require("ghostnote.commands").complete(begun, line)
  end,
  desc = "Suggestions of the next measures",
})
