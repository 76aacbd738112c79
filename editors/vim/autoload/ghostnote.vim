" The next measures of ABC and MusicXML as ghost text, in Vim 9 and nothing else.
"
" One server for all buffers, reached through a channel that speaks the protocol itself. Positions are asked for in
" UTF-8, so columns are Vim's own. There is at most one suggestion, s:shown; an answer is shown only if the buffer and
" the cursor are as they were when it was asked for. What is typed through a suggestion moves it on without a request.

let s:job = v:null
let s:ready = 0
let s:shown = {}
let s:asked = []
let s:dismissed = []
let s:found = []
let s:timer = -1
let s:told = 0

highlight default link GhostnoteSuggestion Comment

" --- the server

function! s:complain(text) abort
  if !s:told
    let s:told = 1
    echohl ErrorMsg | echomsg 'Ghostnote: ' .. a:text | echohl None
  endif
endfunction

function! s:running() abort
  return s:job isnot v:null && job_status(s:job) ==# 'run'
endfunction

function! s:notify(method, params) abort
  if s:running()
    call ch_sendexpr(s:job, #{method: a:method, params: a:params})
  endif
endfunction

function! s:on_exit(job, code) abort
  if a:job isnot s:job
    return
  endif
  call ghostnote#clear()
  let s:ready = 0
  if a:code != 0 && !v:dying
    call s:complain('the server ended with exit code ' .. a:code .. '; :call ghostnote#restart() starts it again')
  endif
endfunction

function! s:start() abort
  let l:command = get(g:, 'ghostnote_cmd', ['ghostnote', 'serve'])
  if !executable(l:command[0])
    call s:complain('cannot start ' .. l:command[0] .. ': no such program. Install Ghostnote (its README says how), or set g:ghostnote_cmd')
    return
  endif
  let s:job = job_start(l:command, #{in_mode: 'lsp', out_mode: 'lsp', err_io: 'null', noblock: 1,
        \ exit_cb: function('s:on_exit')})
  let l:can = #{general: #{positionEncodings: ['utf-8']},
        \ textDocument: #{inlineCompletion: {}, completion: {}, publishDiagnostics: {}}}
  let l:params = #{processId: getpid(), rootUri: v:null, capabilities: l:can,
        \ initializationOptions: #{ghostnote: get(g:, 'ghostnote_settings', {})}}
  call ch_sendexpr(s:job, #{method: 'initialize', params: l:params}, #{callback: function('s:initialized')})
endfunction

function! s:initialized(channel, answer) abort
  if get(get(get(a:answer, 'result', {}), 'capabilities', {}), 'positionEncoding', '') !=# 'utf-8'
    call s:complain('the server does not count columns in UTF-8; install a newer Ghostnote')
    return
  endif
  let [s:ready, s:asked] = [1, []]
  call s:notify('initialized', {})
  for l:buffer in getbufinfo(#{bufloaded: 1})
    if getbufvar(l:buffer.bufnr, 'ghostnote', 0)
      call s:open(l:buffer.bufnr)
    endif
  endfor
  call s:follow()
endfunction

" --- documents

" Paths of Windows have backslashes, and nothing before the drive.
function! s:uri(buffer) abort
  let l:path = fnamemodify(bufname(a:buffer), ':p')
  if has('win32')
    let l:path = '/' .. tr(l:path, '\', '/')
  endif
  return 'file://' .. substitute(l:path, '[^A-Za-z0-9/._~-]', {m -> s:escaped(m[0])}, 'g')
endfunction

function! s:escaped(character) abort
  return join(map(range(strlen(a:character)), {_, i -> printf('%%%02X', char2nr(a:character[i]))}), '')
endfunction

function! s:text(buffer) abort
  return join(getbufline(a:buffer, 1, '$'), "\n") .. "\n"
endfunction

function! s:open(buffer) abort
  let l:tick = getbufvar(a:buffer, 'changedtick')
  call setbufvar(a:buffer, 'ghostnote_sent', l:tick)
  call setbufvar(a:buffer, 'ghostnote_uri', s:uri(a:buffer))
  call s:notify('textDocument/didOpen', #{textDocument: #{uri: getbufvar(a:buffer, 'ghostnote_uri'), version: l:tick,
        \ languageId: getbufvar(a:buffer, '&filetype'), text: s:text(a:buffer)}})
endfunction

function! s:sync() abort
  if b:ghostnote_sent != b:changedtick
    let b:ghostnote_sent = b:changedtick
    call s:notify('textDocument/didChange', #{textDocument: #{uri: b:ghostnote_uri, version: b:changedtick},
          \ contentChanges: [#{text: s:text(bufnr())}]})
  endif
endfunction

function! s:close(buffer) abort
  if s:ready
    call s:notify('textDocument/didClose', #{textDocument: #{uri: getbufvar(a:buffer, 'ghostnote_uri')}})
  endif
endfunction

function! s:unloaded(buffer) abort
  call s:close(a:buffer)
  call setbufvar(a:buffer, 'ghostnote', 0)
endfunction

" A document under another name is another document.
function! s:renamed(buffer) abort
  if s:ready
    call s:close(a:buffer)
    call s:open(a:buffer)
  endif
endfunction

function! s:position() abort
  return #{textDocument: #{uri: b:ghostnote_uri}, position: #{line: line('.') - 1, character: col('.') - 1}}
endfunction

" --- ghost text

function! s:place() abort
  return [bufnr(), b:changedtick, line('.'), col('.')]
endfunction

function! ghostnote#shown() abort
  return !empty(s:shown)
endfunction

" The suggestion in view; empty if there is none.
function! ghostnote#text() abort
  return get(s:shown, 'text', '')
endfunction

function! ghostnote#clear() abort
  if !empty(s:shown)
    if bufloaded(s:shown.buffer)
      call prop_remove(#{type: 'ghostnote', bufnr: s:shown.buffer, all: 1})
    endif
    let s:shown = {}
  endif
endfunction

function! s:show(text) abort
  call ghostnote#clear()
  if empty(prop_type_get('ghostnote'))
    call prop_type_add('ghostnote', #{highlight: 'GhostnoteSuggestion'})
  endif
  let s:shown = #{buffer: bufnr(), line: line('.'), col: col('.'), text: a:text,
        \ before: strpart(getline('.'), 0, col('.') - 1), after: strpart(getline('.'), col('.') - 1)}
  let l:lines = split(substitute(a:text, "\t", repeat(' ', &tabstop), 'g'), "\n", 1)
  if l:lines[0] !=# ''
    call prop_add(line('.'), col('.'), #{type: 'ghostnote', text: l:lines[0]})
  endif
  for l:line in l:lines[1:]
    call prop_add(line('.'), 0, #{type: 'ghostnote', text: l:line ==# '' ? ' ' : l:line, text_align: 'below'})
  endfor
  call s:make_room(len(l:lines) - 1)
endfunction

" Scroll so that the lines below the cursor's are in the window, as far as they can be.
function! s:make_room(n_lines) abort
  let l:hidden = min([winline() + a:n_lines - winheight(0), winline() - 1 - &scrolloff])
  if a:n_lines > 0 && l:hidden > 0
    call winrestview(#{topline: line('w0') + l:hidden})
  endif
endfunction

" Whether what was typed since is how the suggestion begins; if so, it is moved behind that.
function! s:typed_through() abort
  if empty(s:shown) || s:shown.buffer != bufnr() || s:shown.line != line('.')
    return 0
  endif
  let l:typed = strpart(getline('.'), s:shown.col - 1, col('.') - s:shown.col)
  let l:rest = strpart(s:shown.text, strlen(l:typed))
  if col('.') < s:shown.col || getline('.') !=# s:shown.before .. l:typed .. s:shown.after
        \ || stridx(s:shown.text, l:typed) != 0 || l:rest !~# '\S'
    return 0
  endif
  if l:typed !=# ''
    call s:show(l:rest)
  endif
  return 1
endfunction

function! s:follow() abort
  if !s:ready || !get(b:, 'ghostnote', 0) || mode()[0] !=# 'i' || pumvisible()
    call ghostnote#clear()
    return
  endif
  call s:sync()
  if s:typed_through()
    return
  endif
  call ghostnote#clear()
  if s:place() != s:dismissed && s:place() != s:asked
    call s:ask(2)
  endif
endfunction

" Ask the server; it is told who asks: 1 is the user, 2 the editor.
function! s:ask(trigger) abort
  let s:asked = s:place()
  call ch_sendexpr(s:job, #{method: 'textDocument/inlineCompletion',
        \ params: extend(s:position(), #{context: #{triggerKind: a:trigger}})},
        \ #{callback: function('s:answered', [s:place()])})
endfunction

" Ask for a suggestion, also where the setting `trigger` is "manual".
function! ghostnote#suggest() abort
  if s:ready && get(b:, 'ghostnote', 0)
    call s:sync()
    call s:ask(1)
  endif
endfunction

" Not at once: while InsertEnter runs the mode is still the old one, and one key can be two events.
function! s:soon() abort
  call timer_stop(s:timer)
  let s:timer = timer_start(0, {-> s:follow()})
endfunction

function! s:answered(place, channel, answer) abort
  let s:asked = a:place == s:asked ? [] : s:asked
  if !get(b:, 'ghostnote', 0) || a:place != s:place() || mode()[0] !=# 'i' || pumvisible()
    return
  endif
  let l:result = get(a:answer, 'result', v:null)
  let l:items = type(l:result) == v:t_dict ? l:result.items : []
  let l:text = empty(l:items) ? '' : substitute(l:items[0].insertText, "\r", '', 'g')
  if l:text =~# '\S'
    call s:show(l:text)
  endif
endfunction

" Make the line what stands before, in and behind the text, which may have many lines; the cursor goes behind the text.
function! s:put(before, text, after) abort
  let l:lines = split(a:before .. a:text, "\n", 1)
  let l:column = strlen(l:lines[-1]) + 1
  let l:lines[-1] ..= a:after
  call setline('.', l:lines[0])
  call append('.', l:lines[1:])
  call cursor(line('.') + len(l:lines) - 1, l:column)
endfunction

" Insert the suggestion. One `u` undoes it and nothing else.
function! ghostnote#accept() abort
  let l:shown = s:shown
  call ghostnote#clear()
  let &g:undolevels = &g:undolevels
  call s:put(l:shown.before, l:shown.text, l:shown.after)
endfunction

" Take the suggestion away until the cursor moves.
function! ghostnote#dismiss() abort
  call ghostnote#clear()
  let s:dismissed = s:place()
endfunction

" --- the completion menu

" For 'omnifunc'.
function! ghostnote#omni(findstart, base) abort
  if !a:findstart
    return s:found
  endif
  if !s:ready
    return -3
  endif
  call s:sync()
  let l:asked = #{method: 'textDocument/completion', params: extend(s:position(), #{context: #{triggerKind: 1}})}
  let l:answer = ch_evalexpr(s:job, l:asked, #{timeout: 5000})
  let l:result = type(l:answer) == v:t_dict ? get(l:answer, 'result', v:null) : v:null
  let l:items = type(l:result) == v:t_dict ? l:result.items : []
  let l:start = min(map(copy(l:items), {_, one -> one.textEdit.range.start.character}) + [col('.') - 1])
  let s:found = map(l:items, {_, one -> #{abbr: one.label, menu: get(one, 'detail', ''), dup: 1,
        \ word: strpart(getline('.'), l:start, one.textEdit.range.start.character - l:start) .. one.textEdit.newText}})
  return l:start
endfunction

" The menu inserts within a line: line ends that are in it now become lines.
function! s:completed() abort
  if stridx(getline('.'), "\n") >= 0
    call s:put(strpart(getline('.'), 0, col('.') - 1), '', strpart(getline('.'), col('.') - 1))
  endif
endfunction

" --- buffers

function! s:map(keys, action) abort
  if maparg(a:keys, 'i') ==# ''
    execute 'inoremap <buffer><expr>' a:keys 'ghostnote#shown() ? "\<Cmd>call ghostnote#' .. a:action
          \ .. '()\<CR>" :' '"\' .. a:keys .. '"'
  endif
endfunction

" Suggest in the current buffer.
function! ghostnote#attach() abort
  if get(b:, 'ghostnote', 0) || &buftype !=# ''
    return
  endif
  if !has('patch-9.0.67') || !has('channel') || !has('textprop')
    call s:complain('Vim 9.0.67 with +channel and +textprop is needed, this is ' .. v:versionlong)
    return
  endif
  let [b:ghostnote, b:ghostnote_sent] = [1, -1]
  setlocal omnifunc=ghostnote#omni
  call s:map('<Tab>', 'accept')
  call s:map('<C-]>', 'dismiss')
  augroup ghostnote_buffer
    autocmd! * <buffer>
    autocmd InsertEnter,TextChangedI,CursorMovedI <buffer> call s:soon()
    autocmd InsertLeave,BufLeave <buffer> call ghostnote#clear()
    autocmd CompleteDone <buffer> call s:completed()
    autocmd BufFilePost <buffer> call s:renamed(expand('<abuf>')->str2nr())
    autocmd BufUnload <buffer> call s:unloaded(expand('<abuf>')->str2nr())
  augroup END
  if s:ready
    call s:open(bufnr())
  elseif !s:running()
    call s:start()
  endif
endfunction

" End the server and start it again.
function! ghostnote#restart() abort
  let s:told = 0
  let [s:ready, l:old, s:job] = [0, s:job, v:null]
  call ghostnote#clear()
  if l:old isnot v:null
    call job_stop(l:old)
  endif
  call s:start()
endfunction
