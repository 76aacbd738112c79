"""A model bundle on disk: is it whole, and was it made for this build?

A bundle is a folder: `model.onnx`, `vocabulary.json` (the tokens in the order of their ids), `MODEL_CARD.md` and
`manifest.json`, which describes them and holds the SHA-256 of each. Nothing in it is run or believed before it is
checked, and the bytes that were checked are the bytes that are used.

Shapes: V tokens in the vocabulary. A state tensor's shape is that of one row; the graph has the rows before it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from platformdirs import user_data_path

from inference.errors import BundleDamaged, BundleMismatch, BundleNotFound

SCHEMA_VERSION = 2
MANIFEST, MODEL, VOCABULARY, CARD = "manifest.json", "model.onnx", "vocabulary.json", "MODEL_CARD.md"
HASHED_FILES = (MODEL, VOCABULARY, CARD)
SHIPPED = Path(__file__).parent / "bundles"

Precision = Literal["fp32", "fp16", "int8"]
StateType = Literal["float32", "float16"]
StateKind = Literal["cache", "recurrent"]


@dataclass(frozen=True, slots=True)
class StateTensor:
    """One tensor that a step takes as `past_NAME` and gives back as `present_NAME`.

    Attributes:
        name: unique in the bundle.
        shape: of one row.
        kind: `cache` holds one position a token along the second axis of `shape`, is written in place and rewound by
            lowering the length; `recurrent` is replaced whole by each step.
        dtype: of its numbers.
    """

    name: str
    shape: tuple[int, ...]
    kind: StateKind
    dtype: StateType = "float32"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says about itself.

    Attributes:
        schema_version: of this description.
        name: of the bundle, for people.
        architecture: the training registry's name of it; the engine does not look at it.
        config: the model's dimensions.
        parameters: number of weights.
        precision: `fp32`; `fp16`, weights, state and arithmetic in half precision, for CUDA; `int8`, the large matrices
            in 8 bits, for processors.
        opset: version of the ONNX operator set.
        max_length: tokens the state has room for.
        vocabulary_hash: see `vocabulary_hash`.
        state: the state tensors.
        parity: how far the graph was from the network it was made from, at export.
        training: data with licences, and figures of the run.
        quality: measured quality; keys name the set and the measure.
        sha256: file name to hexadecimal digest.
    """

    schema_version: int
    name: str
    architecture: str
    config: dict[str, Any]
    parameters: int
    precision: Precision
    opset: int
    max_length: int
    vocabulary_hash: str
    state: tuple[StateTensor, ...]
    parity: dict[str, Any]
    training: dict[str, Any]
    quality: dict[str, Any]
    sha256: dict[str, str]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A checked bundle.

    Attributes:
        path: its folder.
        manifest: its description.
        vocabulary: the tokens in the order of their ids, V of them.
        model: the graph, as it was when it was checked.
    """

    path: Path
    manifest: Manifest
    vocabulary: tuple[str, ...] = field(repr=False)
    model: bytes = field(repr=False)

    @property
    def card(self) -> str:
        """The model card, Markdown."""
        return (self.path / CARD).read_text(encoding="utf-8")


def vocabulary_hash(tokens: Sequence[str]) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the tokens, one a line."""
    return hashlib.sha256("\n".join(tokens).encode()).hexdigest()[:16]


def load_bundle(path: Path, expected_vocabulary_hash: str | None = None) -> Bundle:
    """Read and check a bundle.

    Args:
        path: its folder.
        expected_vocabulary_hash: the caller's vocabulary; None accepts any.

    Raises:
        BundleNotFound: there is no manifest at `path`.
        BundleDamaged: a file is missing, malformed or changed since the export.
        BundleMismatch: made for another schema or vocabulary.
    """
    manifest = _read_manifest(path)
    if expected_vocabulary_hash is not None and manifest.vocabulary_hash != expected_vocabulary_hash:
        raise BundleMismatch(
            f"cannot load model '{manifest.name}': it was trained with vocabulary {manifest.vocabulary_hash}, this "
            f"build has {expected_vocabulary_hash}. Install the version that the model was made for, or train and "
            f"export the model again. ({path / MANIFEST})"
        )
    content = {name: _read_checked(path, name, manifest) for name in HASHED_FILES}
    tokens = _parse_vocabulary(content[VOCABULARY], manifest, path)
    return Bundle(path, manifest, tokens, content[MODEL])


def shipped_bundle() -> Path:
    """The folder of the bundle that is installed with the package.

    Raises:
        BundleNotFound: this installation has none.
    """
    found = sorted(manifest.parent for manifest in SHIPPED.glob(f"*/{MANIFEST}"))
    if not found:
        raise BundleNotFound(
            f"no model is installed: {SHIPPED} holds no bundle. Reinstall ghostnote, or name a bundle with --model."
        )
    return found[0]


def user_bundles() -> Path:
    """The folder of the user's own bundles; it need not exist."""
    return user_data_path("ghostnote", appauthor=False) / "bundles"


def find_bundle(name_or_path: str | Path | None = None) -> Path:
    """The folder of a bundle: a path as it is, else a name among the user's bundles, else among the shipped ones.

    Args:
        name_or_path: None or empty means the shipped bundle.

    Raises:
        BundleNotFound: none of the places has it; the message names them.
    """
    if name_or_path is None or str(name_or_path) == "":
        return shipped_bundle()
    given = Path(name_or_path).expanduser()
    places = [given]
    if given.name == str(name_or_path) and given.name not in {".", ".."}:
        places += [user_bundles() / given.name, SHIPPED / given.name]
    for place in places:
        if (place / MANIFEST).is_file():
            return place
    raise BundleNotFound(
        f"cannot find model '{name_or_path}': no {MANIFEST} in {', '.join(str(place) for place in places)}. "
        "Name a folder made by `ghostnote export`, or leave the model setting empty to use the shipped one."
    )


def _damaged(path: Path, what: str) -> BundleDamaged:
    return BundleDamaged(f"cannot load the model in {path}: {what}. Install or export the model again.")


def _read_manifest(path: Path) -> Manifest:
    file = path / MANIFEST
    if not file.is_file():
        raise BundleNotFound(
            f"cannot load a model from {path}: it has no {MANIFEST}. Name a folder made by `ghostnote export`."
        )
    try:
        raw = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"{MANIFEST} is not JSON ({error})") from error
    if not isinstance(raw, dict):
        raise _damaged(path, f"{MANIFEST} holds a {type(raw).__name__}, not an object")
    if raw.get("schema_version") != SCHEMA_VERSION:
        raise BundleMismatch(
            f"cannot load the model in {path}: its manifest has schema version {raw.get('schema_version')!r}, this "
            f"build reads {SCHEMA_VERSION}. Install the version that the model was made for, or export it again."
        )
    return _parse_manifest(raw, path)


def _parse_manifest(raw: dict[str, Any], path: Path) -> Manifest:
    strings = {name: _typed(raw, name, str, path) for name in ("name", "architecture", "precision", "vocabulary_hash")}
    numbers = {name: _typed(raw, name, int, path) for name in ("parameters", "opset", "max_length")}
    tables = {name: _typed(raw, name, dict, path) for name in ("config", "parity", "training", "quality", "sha256")}
    if strings["precision"] not in get_args(Precision):
        raise _damaged(path, f"precision is {strings['precision']!r}, not one of {', '.join(get_args(Precision))}")
    if numbers["max_length"] < 1:
        raise _damaged(path, f"max_length is {numbers['max_length']}, not at least 1")
    state = tuple(_parse_state(each, numbers["max_length"], path) for each in _typed(raw, "state", list, path))
    return Manifest(schema_version=SCHEMA_VERSION, state=state, **strings, **numbers, **tables)


def _typed(raw: dict[str, Any], name: str, kind: type, path: Path) -> Any:
    value = raw.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _damaged(path, f"{name} in {MANIFEST} is {value!r}, not of type {kind.__name__}")
    return value


def _parse_state(raw: Any, max_length: int, path: Path) -> StateTensor:
    if not isinstance(raw, dict):
        raise _damaged(path, f"a state tensor in {MANIFEST} is {raw!r}, not an object")
    name = _typed(raw, "name", str, path)
    shape, kind, dtype = (
        _typed(raw, key, each, path) for key, each in (("shape", list), ("kind", str), ("dtype", str))
    )
    if dtype not in get_args(StateType) or kind not in get_args(StateKind):
        known = " or ".join(get_args(StateType)), " or ".join(get_args(StateKind))
        raise _damaged(path, f"state tensor {name!r} is {dtype!r} {kind!r}, not {known[0]}, {known[1]}")
    if not shape or not all(isinstance(size, int) and size > 0 for size in shape):
        raise _damaged(path, f"state tensor {name!r} has shape {shape}, not a list of positive numbers")
    if kind == "cache" and (len(shape) < 2 or shape[1] != max_length):
        raise _damaged(path, f"cache {name!r} has shape {shape}, whose second axis is not max_length {max_length}")
    return StateTensor(name, tuple(shape), kind, dtype)


def _read_checked(path: Path, name: str, manifest: Manifest) -> bytes:
    expected = manifest.sha256.get(name)
    try:
        content = (path / name).read_bytes()
    except OSError as error:
        raise _damaged(path, f"{name}, which {MANIFEST} lists, cannot be read ({error.strerror})") from error
    actual = hashlib.sha256(content).hexdigest()
    if actual != expected:
        raise _damaged(path, f"{name} has SHA-256 {actual}, {MANIFEST} says {expected}")
    return content


def _parse_vocabulary(content: bytes, manifest: Manifest, path: Path) -> tuple[str, ...]:
    try:
        tokens = json.loads(content)
    except ValueError as error:
        raise _damaged(path, f"{VOCABULARY} is not JSON ({error})") from error
    if not isinstance(tokens, list) or not tokens or not all(isinstance(token, str) for token in tokens):
        raise _damaged(path, f"{VOCABULARY} is not a list of strings")
    actual = vocabulary_hash(tokens)
    if actual != manifest.vocabulary_hash:
        raise _damaged(path, f"{VOCABULARY} has vocabulary hash {actual}, {MANIFEST} says {manifest.vocabulary_hash}")
    return tuple(tokens)
