" Which files are notation. Vim and Neovim know .abc already; .musicxml they take for any XML.
autocmd BufNewFile,BufRead *.abc,*.abh setfiletype abc
autocmd BufNewFile,BufRead *.musicxml set filetype=musicxml
