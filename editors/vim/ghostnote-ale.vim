" Ghostnote through ALE (https://github.com/dense-analysis/ale): put this file in a folder plugin/ on the runtime path.
let g:ale_completion_enabled = 1
set completeopt=menu,menuone,noinsert,noselect
autocmd BufNewFile,BufRead *.musicxml set filetype=musicxml
augroup ghostnote
  autocmd!
  autocmd User ALEWantResults call s:Register()
  autocmd FileType abc,musicxml call s:Register()
augroup END

function! s:Register() abort
  for l:filetype in ['abc', 'musicxml']
    call ale#linter#Define(l:filetype, {
    \   'name': 'ghostnote',
    \   'lsp': 'stdio',
    \   'executable': get(g:, 'ghostnote_command', ['ghostnote', 'serve'])[0],
    \   'command': join(map(copy(get(g:, 'ghostnote_command', ['ghostnote', 'serve'])), 'shellescape(v:val)')),
    \   'language': l:filetype,
    \   'initialization_options': {'ghostnote': get(g:, 'ghostnote_settings', {})},
    \   'project_root': {buffer -> fnamemodify(bufname(buffer), ':p:h')},
    \ })
  endfor
  autocmd! ghostnote
endfunction
