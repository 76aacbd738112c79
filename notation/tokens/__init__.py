"""The token language: what the model reads and writes, one for every notation language.

`vocabulary` lists the tokens, `encode` and `decode` go from scores to tokens and back, `grammar` says which tokens
may come next, `prompt` makes the model's input of a completion site.
"""
