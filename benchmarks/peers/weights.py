"""The same weights in other programs: what they make of a prompt, and how fast they go on from it.

Each program is a `Decoder`: it reads a prompt and writes tokens greedily, on one thread, in the way its own
documentation shows. Only the Llama architecture of `training.models.llama` can be handed over. Token ids are ours.

Rotary pairs: ours and those of transformers are (i, i + head_size / 2); those of llama.cpp's `llama` architecture are
neighbours, so the rows of the query and key weights are reordered for it. `worst_difference` says whether a program
computes the same as the network in torch: ask it before timing anything.

Units: seconds of processor time. Shapes: V = size of the vocabulary.
"""

from __future__ import annotations

import ctypes
import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (the field's name)
from numpy.typing import NDArray
from torch import Tensor

from training.models.checkpoint import Checkpoint
from training.models.llama import NORM_EPSILON, Llama, LlamaBlock, rotary_tables, rotate

Logits = NDArray[np.float32]
GENAI = "onnxruntime-genai, int8"
LLAMA_CPP = "llama.cpp, Q8_0"
TRANSFORMERS = "transformers generate, fp32"


class Written(NamedTuple):
    """What a program wrote, and the processor time it took to read the prompt and to write after it."""

    ids: list[int]
    reading: float
    writing: float


class Decoder(Protocol):
    """A program that holds the weights."""

    def logits(self, prompt: Sequence[int]) -> Logits:
        """The scores of the token after a prompt, shape (V,)."""

    def write(self, prompt: Sequence[int], n: int) -> Written:
        """Read a prompt from the beginning, and write `n` tokens greedily."""


def network(checkpoint: Checkpoint) -> Llama:
    """The network of a checkpoint.

    Raises:
        ValueError: it is of another architecture.
    """
    if not isinstance(checkpoint.model, Llama):
        architecture = checkpoint.model.config.architecture
        raise ValueError(f"the peers run architecture llama, the checkpoint holds {architecture}: name another one.")
    return checkpoint.model


def worst_difference(decoder: Decoder, model: Llama, prompts: Sequence[Sequence[int]]) -> tuple[float, float]:
    """How far a program's logits are from the network's in torch.

    Returns:
        The largest difference, in standard deviations of the network's logits, and the share of prompts with the same
        likeliest token.
    """
    worst, agreed = 0.0, 0
    for prompt in prompts:
        with torch.no_grad():
            expected = model(torch.tensor([list(prompt)]))[0, -1].numpy()
        found = decoder.logits(prompt)
        worst = max(worst, float(np.abs(found - expected).max() / expected.std()))
        agreed += int(found.argmax()) == int(expected.argmax())
    return worst, agreed / len(prompts)


def _weights_of(block: LlamaBlock) -> dict[str, Tensor]:
    """The weights of a block by short names, those that we keep in one matrix taken apart."""
    q, k, v = block.qkv.weight.split((block.config.n_embd, block.kv_size, block.kv_size))
    gate, up = block.gate_up.weight.chunk(2)
    norms = {"attention_norm": block.attention_norm.weight, "feed_forward_norm": block.feed_forward_norm.weight}
    outputs = {"attention_out": block.attention_out.weight, "down": block.down.weight}
    return {"q": q, "k": k, "v": v, "gate": gate, "up": up, **norms, **outputs}


# Eager torch


class EagerTorch:
    """The network as torch runs it by itself, one operator after another, keys and values kept."""

    def __init__(self, checkpoint: Checkpoint, max_length: int) -> None:
        """Take over the network; the state has room for `max_length` tokens."""
        self._model = network(checkpoint)
        config = self._model.config
        self._cos, self._sin = rotary_tables(max_length, config.head_size, config.rope_theta)
        shape = (config.n_layer, 2, 1, config.n_kv_head, max_length, config.head_size)
        self._cache = torch.zeros(shape)

    def logits(self, prompt: Sequence[int]) -> Logits:
        """See `Decoder`."""
        with torch.inference_mode():
            found: Logits = self._run(prompt, 0).numpy()
        return found

    def write(self, prompt: Sequence[int], n: int) -> Written:
        """See `Decoder`."""
        with torch.inference_mode():
            began = time.process_time()
            logits = self._run(prompt, 0)
            read = time.process_time()
            ids = [int(logits.argmax())]
            while len(ids) < n:
                ids.append(int(self._run(ids[-1:], len(prompt) + len(ids) - 1).argmax()))
            return Written(ids, read - began, time.process_time() - read)

    def _run(self, ids: Sequence[int], start: int) -> Tensor:
        """The logits after `ids`, which stand at `start`, shape (V,)."""
        x = self._model.embedding(torch.tensor([list(ids)]))  # (1, T, C)
        for block, cache in zip(self._model.blocks, self._cache, strict=True):
            assert isinstance(block, LlamaBlock)
            x = x + block.attention_out(self._attend(block, block.attention_norm(x), cache, start))
            x = x + block.feed_forward(block.feed_forward_norm(x))
        return F.linear(self._model.final_norm(x[0, -1]), self._model.embedding.weight)

    def _attend(self, block: LlamaBlock, x: Tensor, cache: Tensor, start: int) -> Tensor:
        length, config = x.shape[1], block.config
        end = start + length
        heads = block.qkv(x).view(1, length, -1, config.head_size).transpose(1, 2)  # (1, heads, T, head_size)
        q, k, v = heads.split((config.n_head, config.n_kv_head, config.n_kv_head), dim=1)
        cos, sin = self._cos[start:end], self._sin[start:end]
        cache[0, :, :, start:end] = rotate(k, cos, sin)
        cache[1, :, :, start:end] = v
        keys, values = cache[:, :, :, :end]
        mixed = F.scaled_dot_product_attention(
            rotate(q, cos, sin), keys, values, is_causal=length > 1, enable_gqa=True
        )  # (1, n_head, T, head_size)
        return mixed.transpose(1, 2).reshape(1, length, -1)


# transformers


def save_for_transformers(checkpoint: Checkpoint, folder: Path, max_length: int) -> None:
    """Write a folder that transformers' `from_pretrained` reads, with a tokenizer that knows our tokens by name."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    model = network(checkpoint)
    config = model.config
    theirs = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=config.vocabulary_size,
            hidden_size=config.n_embd,
            intermediate_size=config.hidden_size,
            num_hidden_layers=config.n_layer,
            num_attention_heads=config.n_head,
            num_key_value_heads=config.n_kv_head,
            max_position_embeddings=max_length,
            rms_norm_eps=NORM_EPSILON,
            rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=0,
            pad_token_id=0,
        )
    )
    theirs.load_state_dict(_transformers_weights(model))
    theirs.save_pretrained(folder)
    names = {token: token_id for token_id, token in enumerate(checkpoint.vocabulary)}
    first = checkpoint.vocabulary[0]
    tokenizer = Tokenizer(WordLevel(names, unk_token=first))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=first, pad_token=first).save_pretrained(folder)


_IN_TRANSFORMERS = {
    "input_layernorm": "attention_norm",
    "self_attn.q_proj": "q",
    "self_attn.k_proj": "k",
    "self_attn.v_proj": "v",
    "self_attn.o_proj": "attention_out",
    "post_attention_layernorm": "feed_forward_norm",
    "mlp.gate_proj": "gate",
    "mlp.up_proj": "up",
    "mlp.down_proj": "down",
}


def _transformers_weights(model: Llama) -> dict[str, Tensor]:
    found = {
        "model.embed_tokens.weight": model.embedding.weight,
        "model.norm.weight": model.get_parameter("final_norm.weight"),
        "lm_head.weight": model.embedding.weight,
    }
    for layer, block in enumerate(model.blocks):
        assert isinstance(block, LlamaBlock)
        weights = _weights_of(block)
        found |= {f"model.layers.{layer}.{name}.weight": weights[ours] for name, ours in _IN_TRANSFORMERS.items()}
    return {name: weight.detach() for name, weight in found.items()}


class Transformers:
    """`LlamaForCausalLM.generate`, float32."""

    def __init__(self, folder: Path) -> None:
        """Load what `save_for_transformers` wrote."""
        from transformers import GenerationConfig, LlamaForCausalLM

        self._model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self._settings = GenerationConfig

    def logits(self, prompt: Sequence[int]) -> Logits:
        """See `Decoder`."""
        with torch.inference_mode():
            found: Logits = self._model(torch.tensor([list(prompt)])).logits[0, -1].numpy()
        return found

    def write(self, prompt: Sequence[int], n: int) -> Written:
        """See `Decoder`; the prompt counts as read when `generate` has its first token."""
        times: list[float] = []

        def note(*_: Any, **__: Any) -> Tensor:
            times.append(time.process_time())
            return torch.zeros(1, dtype=torch.bool)

        ids = torch.tensor([list(prompt)])
        settings = self._settings(max_new_tokens=n, do_sample=False, eos_token_id=None, pad_token_id=0)
        began = time.process_time()
        with torch.inference_mode():
            found = self._model.generate(
                ids, attention_mask=torch.ones_like(ids), generation_config=settings, stopping_criteria=[note]
            )
        ended = time.process_time()
        return Written(found[0, len(prompt) :].tolist(), times[0] - began, ended - times[0])


# onnxruntime-genai


class OnnxRuntimeGenai:
    """onnxruntime-genai with a graph of its own builder: weights in blocks of 32 and activations, both in 8 bits."""

    def __init__(self, transformers_folder: Path, folder: Path) -> None:
        """Build the graph in `folder` from what `save_for_transformers` wrote, and load it."""
        import onnxruntime_genai

        builder = [sys.executable, "-m", "onnxruntime_genai.models.builder"]
        files = ["-i", str(transformers_folder), "-o", str(folder), "-c", str(folder / "cache")]
        options = ["-p", "int8", "-e", "cpu", "--extra_options", "accuracy_level=4", "block_size=32"]
        subprocess.run([*builder, *files, *options], check=True, capture_output=True)
        config = onnxruntime_genai.Config(str(folder))
        config.overlay('{"model": {"decoder": {"session_options": {"intra_op_num_threads": 1}}}}')
        self._model = onnxruntime_genai.Model(config)
        self._library = onnxruntime_genai

    def logits(self, prompt: Sequence[int]) -> Logits:
        """See `Decoder`."""
        generator = self._generator(prompt, 1)
        found: Logits = np.asarray(generator.get_logits(), np.float32).reshape(-1)
        return found

    def write(self, prompt: Sequence[int], n: int) -> Written:
        """See `Decoder`."""
        began = time.process_time()
        generator = self._generator(prompt, n)
        read = time.process_time()
        ids = []
        for _ in range(n):
            generator.generate_next_token()
            ids.append(int(generator.get_next_tokens()[0]))
        return Written(ids, read - began, time.process_time() - read)

    def _generator(self, prompt: Sequence[int], n: int) -> Any:
        settings = self._library.GeneratorParams(self._model)
        length = len(prompt) + n
        settings.set_search_options(do_sample=False, min_length=length, max_length=length)
        generator = self._library.Generator(self._model, settings)
        generator.append_tokens(np.array(prompt, np.int32))
        return generator


# llama.cpp


def save_gguf(checkpoint: Checkpoint, path: Path, max_length: int) -> None:
    """Write the weights for llama.cpp: matrices as Q8_0, norms as float32, no tokenizer."""
    import gguf

    model = network(checkpoint)
    config = model.config
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(max_length)
    writer.add_embedding_length(config.n_embd)
    writer.add_block_count(config.n_layer)
    writer.add_feed_forward_length(config.hidden_size)
    writer.add_head_count(config.n_head)
    writer.add_head_count_kv(config.n_kv_head)
    writer.add_rope_dimension_count(config.head_size)
    writer.add_rope_freq_base(config.rope_theta)
    writer.add_layer_norm_rms_eps(NORM_EPSILON)
    writer.add_vocab_size(config.vocabulary_size)
    writer.add_tokenizer_model("none")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    for name, weight in _gguf_weights(model):
        array = np.ascontiguousarray(weight.detach().numpy())
        kind = gguf.GGMLQuantizationType.Q8_0 if array.ndim == 2 else gguf.GGMLQuantizationType.F32
        writer.add_tensor(name, gguf.quants.quantize(array, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


_IN_GGUF = {
    "attn_norm": "attention_norm",
    "attn_q": "q",
    "attn_k": "k",
    "attn_v": "v",
    "attn_output": "attention_out",
    "ffn_norm": "feed_forward_norm",
    "ffn_gate": "gate",
    "ffn_up": "up",
    "ffn_down": "down",
}


def _gguf_weights(model: Llama) -> list[tuple[str, Tensor]]:
    norm = model.get_parameter("final_norm.weight")
    found: list[tuple[str, Tensor]] = [("token_embd.weight", model.embedding.weight), ("output_norm.weight", norm)]
    for layer, block in enumerate(model.blocks):
        assert isinstance(block, LlamaBlock)
        weights = _weights_of(block)
        weights["q"] = _neighbours(weights["q"], block.config.n_head)
        weights["k"] = _neighbours(weights["k"], block.config.n_kv_head)
        found += [(f"blk.{layer}.{name}.weight", weights[ours]) for name, ours in _IN_GGUF.items()]
    return found


def _neighbours(weight: Tensor, n_head: int) -> Tensor:
    """The rows of each head reordered from pairs (i, i + head_size / 2) to pairs (2 i, 2 i + 1)."""
    rows, width = weight.shape
    halves = weight.view(n_head, 2, rows // n_head // 2, width)  # (n_head, half, pair, C)
    return halves.transpose(1, 2).reshape(rows, width)


class LlamaCpp:
    """llama.cpp, called as closely as llama-cpp-python allows: its C interface, and its own greedy sampler."""

    def __init__(self, path: Path, max_length: int) -> None:
        """Load what `save_gguf` wrote."""
        import llama_cpp

        self._library = llama_cpp
        self._quiet = _silence(llama_cpp)
        llama_cpp.llama_backend_init()
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), llama_cpp.llama_model_default_params())
        settings = llama_cpp.llama_context_default_params()
        settings.n_ctx = settings.n_batch = settings.n_ubatch = max_length
        settings.n_threads = settings.n_threads_batch = 1
        self._context = llama_cpp.llama_init_from_model(self._model, settings)
        if not self._model or not self._context:
            raise RuntimeError(f"llama.cpp cannot load {path}: its version may be too old for this file; upgrade it.")
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._sampler = llama_cpp.llama_sampler_init_greedy()
        self._n_vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self._model))

    def logits(self, prompt: Sequence[int]) -> Logits:
        """See `Decoder`."""
        self._read(prompt)
        pointer = self._library.llama_get_logits_ith(self._context, -1)
        return np.ctypeslib.as_array(pointer, shape=(self._n_vocabulary,)).copy()

    def write(self, prompt: Sequence[int], n: int) -> Written:
        """See `Decoder`."""
        library, context, sampler = self._library, self._context, self._sampler
        began = time.process_time()
        self._read(prompt)
        read = time.process_time()
        token = (ctypes.c_int32 * 1)()
        ids = [library.llama_sampler_sample(sampler, context, -1)]
        while len(ids) < n:
            token[0] = ids[-1]
            library.llama_decode(context, library.llama_batch_get_one(token, 1))
            ids.append(library.llama_sampler_sample(sampler, context, -1))
        return Written(ids, read - began, time.process_time() - read)

    def _read(self, prompt: Sequence[int]) -> None:
        self._library.llama_memory_clear(self._memory, False)
        ids = (ctypes.c_int32 * len(prompt))(*prompt)
        status = self._library.llama_decode(self._context, self._library.llama_batch_get_one(ids, len(prompt)))
        if status:
            raise RuntimeError(f"llama.cpp gave status {status} for a prompt of {len(prompt)} tokens.")


def _silence(library: Any) -> Any:
    """Let llama.cpp log nothing; the callback must be kept alive."""
    callback = library.llama_log_callback(lambda level, text, data: None)
    library.llama_log_set(callback, ctypes.c_void_p(0))
    return callback


# All of them


def installed(*packages: str) -> bool:
    """Whether all of these can be imported."""
    return all(importlib.util.find_spec(package) is not None for package in packages)


def decoders(checkpoint: Checkpoint, max_length: int, folder: Path) -> tuple[dict[str, Decoder], list[str]]:
    """Every program that is installed, by name and precision, and a note for every one that is not.

    Args:
        checkpoint: the weights.
        max_length: tokens that there must be room for.
        folder: where the weights are written in the forms that the programs read.
    """
    found: dict[str, Decoder] = {"eager torch, fp32": EagerTorch(checkpoint, max_length)}
    missing: list[str] = []
    needs: list[tuple[str, tuple[str, ...], Callable[[], Decoder]]] = [
        (LLAMA_CPP, ("llama_cpp", "gguf"), lambda: _llama_cpp(checkpoint, max_length, folder)),
        (GENAI, ("onnxruntime_genai", "onnx_ir", "transformers"), lambda: _genai(checkpoint, max_length, folder)),
        (TRANSFORMERS, ("transformers",), lambda: Transformers(_saved(checkpoint, max_length, folder))),
    ]
    for name, packages, make in needs:
        if installed(*packages):
            found[name] = make()
        else:
            missing.append(f"{name} is absent: {' and '.join(packages)} must be installed.")
    return found, missing


def _saved(checkpoint: Checkpoint, max_length: int, folder: Path) -> Path:
    saved = folder / "transformers"
    if not saved.is_dir():
        save_for_transformers(checkpoint, saved, max_length)
    return saved


def _llama_cpp(checkpoint: Checkpoint, max_length: int, folder: Path) -> Decoder:
    path = folder / "model.gguf"
    save_gguf(checkpoint, path, max_length)
    return LlamaCpp(path, max_length)


def _genai(checkpoint: Checkpoint, max_length: int, folder: Path) -> Decoder:
    return OnnxRuntimeGenai(_saved(checkpoint, max_length, folder), folder / "genai")
