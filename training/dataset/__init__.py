"""From corpora to a dataset folder, and from that folder to training windows.

`build` reads and encodes; `tables` is what lies on disk; `sampler` lays out sequences from it, anew for every step.
"""
