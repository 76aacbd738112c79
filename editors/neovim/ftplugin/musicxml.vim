" MusicXML is edited as XML is.
runtime! ftplugin/xml.vim indent/xml.vim
