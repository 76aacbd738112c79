" Comments of ABC, for commenting plugins and gq.
setlocal comments=:% commentstring=%\ %s
let b:undo_ftplugin = get(b:, 'undo_ftplugin', 'execute') . ' | setlocal comments< commentstring<'
