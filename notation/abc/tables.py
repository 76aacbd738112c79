"""The words of ABC 2.1 that a writer can look up: fields, keys, metres, decorations, directives.

Source: ABC 2.1, sections 3 (fields), 3.1.14 (K:), 4.14 (decorations), 11 (directives).
"""

from __future__ import annotations

DECORATION_SYMBOLS = {
    ".": "staccato",
    "~": "roll",
    "H": "fermata",
    "L": "accent",
    "M": "lowermordent",
    "O": "coda",
    "P": "uppermordent",
    "S": "segno",
    "T": "trill",
    "u": "upbow",
    "v": "downbow",
}
"""What the one-letter decorations stand for unless `U:` says otherwise."""
