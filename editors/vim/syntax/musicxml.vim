" MusicXML is coloured as XML is.
runtime! syntax/xml.vim
