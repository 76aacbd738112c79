"""Humdrum **kern, read only: what corpora are written in, not what people type into an editor.

`parse` gives a document with one score for any text whatever. **kern is not in the registry of notation languages, for
nothing is completed or printed in it.

Source: the Humdrum guide, https://www.humdrum.org/guide/ (chapters 2, 5 and 6), and the **kern representation,
https://www.humdrum.org/rep/kern/.
"""

from notation.kern.parser import parse

__all__ = ["parse"]
