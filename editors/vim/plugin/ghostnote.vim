" Starts Ghostnote for buffers of ABC and MusicXML; everything else is loaded when it is first needed.

if exists('g:loaded_ghostnote') || has('nvim')
  finish
endif
let g:loaded_ghostnote = 1

inoremap <expr> <Plug>(ghostnote-accept) ghostnote#shown() ? "\<Cmd>call ghostnote#accept()\<CR>" : ''
inoremap <expr> <Plug>(ghostnote-dismiss) ghostnote#shown() ? "\<Cmd>call ghostnote#dismiss()\<CR>" : ''
inoremap <Plug>(ghostnote-suggest) <Cmd>call ghostnote#suggest()<CR>

augroup ghostnote
  autocmd!
  " Vim knows .abc; .musicxml it takes for any XML. Not in ftdetect, which is read too early for some vimrc files.
  autocmd BufNewFile,BufRead *.musicxml setlocal filetype=musicxml
  autocmd FileType abc,musicxml call ghostnote#attach()
augroup END
