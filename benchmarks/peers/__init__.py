"""Ghostnote beside other programs that do the same work: each script pairs both sides in turn, on one core.

    python -m benchmarks.peers.decoding --checkpoint model.pt   llama.cpp, onnxruntime-genai, transformers, eager torch
    python -m benchmarks.peers.parsing                          music21, partitura, lxml, abcjs
    python -m benchmarks.peers.scaling                          an edit in a document ten times as long
    python -m benchmarks.peers.training DATASET                 a bare torch loop

`--json` prints one object with every pair; `--out FOLDER` writes the table and the plot. Peers that are not installed
are left out, and the table says so:

    pip install llama-cpp-python gguf transformers onnxruntime-genai partitura     (llama.cpp is compiled: minutes)
    scripts/setup-judges.sh                                                        (abcjs)
"""
