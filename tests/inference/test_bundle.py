"""What is refused before it is trusted, and where bundles are looked for."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inference import bundle as bundles
from inference.bundle import MANIFEST, MODEL, VOCABULARY, find_bundle, load_bundle, vocabulary_hash
from inference.errors import BundleDamaged, BundleError, BundleMismatch, BundleNotFound, GhostnoteError
from tests.support.bundles import VOCABULARY as TOKENS
from tests.support.bundles import tiny_bundle


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A sound bundle to spoil."""
    return Path(shutil.copytree(tiny_bundle("llama"), tmp_path / "reel"))


def edit_manifest(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    change(manifest)
    (path / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def test_a_sound_bundle_loads(copy: Path) -> None:
    bundle = load_bundle(copy, vocabulary_hash(TOKENS))
    assert bundle.vocabulary == tuple(TOKENS)
    assert bundle.model == (copy / MODEL).read_bytes()
    assert bundle.manifest.max_length == 320
    assert [tensor.name for tensor in bundle.manifest.state] == ["key_0", "value_0", "key_1", "value_1"]
    assert bundle.manifest.state[0].shape == (2, 320, 16)
    assert bundle.card.startswith("# llama-fp32")


def test_the_hash_tells_order_and_content() -> None:
    hashes = {vocabulary_hash(each) for each in (["a", "b"], ["b", "a"], ["a"], ["a", "c"])}
    assert len(hashes) == 4
    assert all(re.fullmatch("[0-9a-f]{16}", each) for each in hashes)


def test_another_vocabulary_is_refused_with_both_values(copy: Path) -> None:
    with pytest.raises(BundleMismatch) as caught:
        load_bundle(copy, "99887766")
    assert vocabulary_hash(TOKENS) in str(caught.value)
    assert "99887766" in str(caught.value)
    assert "export the model again" in str(caught.value)


def test_a_changed_file_is_refused_with_both_digests(copy: Path) -> None:
    before = hashlib.sha256((copy / MODEL).read_bytes()).hexdigest()
    with (copy / MODEL).open("r+b") as file:
        file.seek(1000)
        file.write(b"\xff\x00")
    after = hashlib.sha256((copy / MODEL).read_bytes()).hexdigest()
    with pytest.raises(BundleDamaged) as caught:
        load_bundle(copy)
    assert before in str(caught.value)
    assert after in str(caught.value)


@pytest.mark.parametrize("name", bundles.HASHED_FILES)
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BundleDamaged, match=re.escape(name)):
        load_bundle(copy)


def test_another_schema_is_refused_with_both_values(copy: Path) -> None:
    edit_manifest(copy, lambda manifest: manifest.update(schema_version=7))
    with pytest.raises(BundleMismatch, match="schema version 7, this build reads 2"):
        load_bundle(copy)


def test_a_vocabulary_that_was_swapped_with_its_digest_is_refused(copy: Path) -> None:
    content = json.dumps(["a", "b"]).encode()
    (copy / VOCABULARY).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    edit_manifest(copy, lambda manifest: manifest["sha256"].update({VOCABULARY: digest}))
    with pytest.raises(BundleDamaged, match=f"{vocabulary_hash(['a', 'b'])}.*{vocabulary_hash(TOKENS)}"):
        load_bundle(copy)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda m: m.pop("name"), "name.*None.*str", id="a field is missing"),
        pytest.param(lambda m: m.update(max_length="long"), "max_length.*'long'.*int", id="a field of another type"),
        pytest.param(lambda m: m.update(max_length=True), "max_length.*True.*int", id="a truth value for a number"),
        pytest.param(lambda m: m.update(max_length=0), "max_length is 0", id="no room"),
        pytest.param(lambda m: m.update(precision="fp8"), "'fp8'.*fp32, fp16, int8", id="an unknown precision"),
        pytest.param(lambda m: m["state"].append("key"), "state tensor.*'key'", id="a state that is no object"),
        pytest.param(lambda m: m["state"][0].update(kind="magic"), "key_0.*'magic'", id="an unknown kind of state"),
        pytest.param(lambda m: m["state"][0].update(dtype="int4"), "key_0.*'int4'", id="an unknown type of state"),
        pytest.param(lambda m: m["state"][0].update(shape=[2, -1]), r"key_0.*\[2, -1\]", id="a negative shape"),
        pytest.param(lambda m: m["state"][0].update(shape=[2, 9, 16]), "key_0.*320", id="a cache of another length"),
        pytest.param(lambda m: m.update(sha256={}), "SHA-256.*None", id="no digests"),
    ],
)
def test_a_malformed_manifest_is_refused(copy: Path, change: Callable[[dict[str, Any]], Any], message: str) -> None:
    edit_manifest(copy, change)
    with pytest.raises(BundleDamaged, match=message):
        load_bundle(copy)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xfe\x00", id="binary"),
        pytest.param(b"[1, 2]", id="no object"),
        pytest.param(b"[" * 100_000, id="nested without end"),
    ],
)
def test_a_manifest_that_is_no_manifest(copy: Path, content: bytes) -> None:
    (copy / MANIFEST).write_bytes(content)
    with pytest.raises(BundleError, match=re.escape(MANIFEST)):
        load_bundle(copy)


def test_a_folder_without_a_manifest(tmp_path: Path) -> None:
    with pytest.raises(BundleNotFound, match="ghostnote export"):
        load_bundle(tmp_path)


def test_every_error_has_the_root() -> None:
    for error in (BundleNotFound, BundleDamaged, BundleMismatch):
        assert issubclass(error, GhostnoteError)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """An empty folder for the user's bundles and one for the shipped."""
    user, shipped = tmp_path / "user", tmp_path / "shipped"
    monkeypatch.setattr(bundles, "user_bundles", lambda: user)
    monkeypatch.setattr(bundles, "SHIPPED", shipped)
    return user, shipped


def place(folder: Path, name: str) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / MANIFEST).write_text("{}")
    return folder / name


def test_the_users_bundle_comes_before_the_shipped(places: tuple[Path, Path]) -> None:
    shipped = place(places[1], "reel")
    assert find_bundle("reel") == shipped
    assert find_bundle("reel") == find_bundle(None) == find_bundle("")
    user = place(places[0], "reel")
    assert find_bundle("reel") == user
    assert find_bundle(None) == shipped


def test_a_path_is_taken_as_it_is(places: tuple[Path, Path], tmp_path: Path) -> None:
    elsewhere = place(tmp_path / "elsewhere", "reel")
    place(places[0], "reel")
    assert find_bundle(elsewhere) == elsewhere
    assert find_bundle(str(elsewhere)) == elsewhere


def test_what_is_not_found_says_where_it_was_looked_for(places: tuple[Path, Path]) -> None:
    with pytest.raises(BundleNotFound) as caught:
        find_bundle("jig")
    assert str(places[0] / "jig") in str(caught.value)
    assert str(places[1] / "jig") in str(caught.value)


@pytest.mark.parametrize("name", ["..", "../reel", "a/b"])
def test_a_name_never_climbs_out(places: tuple[Path, Path], name: str) -> None:
    place(places[0].parent, "reel")
    place(places[0].parent, "a")
    with pytest.raises(BundleNotFound):
        find_bundle(name)


def test_an_installation_without_a_model(places: tuple[Path, Path]) -> None:
    with pytest.raises(BundleNotFound, match="--model"):
        find_bundle()
