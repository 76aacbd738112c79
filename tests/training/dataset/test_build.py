"""A build can be stopped and finished, counts what it lost, and splits by work."""

import json
from collections import defaultdict
from dataclasses import replace

import pytest

from notation.tokens.encode import encode_score
from tests.training.conftest import N_FILES
from training.corpora import CORPORA
from training.dataset import build as builder
from training.dataset import encode_files
from training.dataset.build import Dataset, build
from training.dataset.clusters import SPLITS
from training.dataset.encode_files import chunks_of


def report_of(dataset):
    return json.loads((dataset.folder / "report.json").read_text(encoding="utf-8"))


def all_pieces(dataset):
    return [piece for split in SPLITS for piece in dataset.pieces(split)]


def test_every_piece_is_in_the_tables_of_its_split(dataset):
    assert len(all_pieces(dataset)) > 50
    for split in SPLITS:
        tables = dataset.tables(split)["music21"]
        pieces = dataset.pieces(split)
        assert len(tables.pieces) == len(pieces)
        for piece in pieces:
            record = tables.pieces[piece["index"]]
            assert (record["n_measures"], record["n_tokens"]) == (piece["n_measures"], piece["n_tokens"])


def test_the_tables_hold_what_the_encoder_says(dataset, corpus_root):
    known = {piece["id"]: piece for piece in all_pieces(dataset)}
    path = corpus_root / "airdsAirs" / "book1.abc"
    chosen = [piece for piece in all_pieces(dataset) if piece["path"].startswith("bach/")][:2]
    paths = {corpus_root / piece["path"] for piece in chosen} | ({path} if path.exists() else set())
    checked = 0
    for read in (CORPORA["music21"].read(corpus_root, path) for path in sorted(paths)):
        for piece in read.pieces:
            if piece.id not in known:
                continue
            encoded, place = encode_score(piece.score, piece.genre), known[piece.id]
            tables = dataset.tables(place["split"])["music21"]
            stored = [each.encoded for each in tables.read_measures(place["index"], 0, len(encoded.measures))]
            assert tuple(tables.preamble(place["index"])) == encoded.preamble
            assert [(one.head, one.segments, one.barline, one.metre_and_key) for one in stored] == [
                (one.head, one.segments, one.barline, one.metre_and_key) for one in encoded.measures
            ]
            checked += 1
    assert checked >= 2


def test_no_cluster_is_in_two_splits(dataset):
    splits = defaultdict(set)
    for piece in all_pieces(dataset):
        splits[piece["cluster"]].add(piece["split"])
    assert all(len(found) == 1 for found in splits.values())


def test_the_report_adds_up(dataset):
    report, pieces = report_of(dataset), all_pieces(dataset)
    assert report["all"]["n_pieces"] == len(pieces)
    assert report["all"]["n_notes"] == sum(piece["n_notes"] for piece in pieces) > 0
    assert report["corpora"]["music21"]["n_files"] == N_FILES
    assert sum(report["all"]["splits"].values()) == len(pieces)
    assert sum(genre["n_tokens"] for genre in report["genres"].values()) == report["all"]["n_tokens"]
    assert "| music21 |" in (dataset.folder / "report.md").read_text(encoding="utf-8")


def test_provenance_names_licence_and_genre(dataset):
    assert all(piece["licence"] and piece["genre"] in ("folk", "hymn") for piece in all_pieces(dataset))


@pytest.fixture
def few_files(tmp_path):
    """A corpus of three files of a user's own, one of them no music at all."""
    root = tmp_path / "scores"
    root.mkdir()
    for name, music in (("one", "CDEF GABc|cBAG FEDC|"), ("two", "c2e2 g2e2|c8|"), ("not-music", "")):
        (root / f"{name}.abc").write_text(f"X:1\nT:{name}\nM:4/4\nL:1/8\nK:C\n{music}\n", encoding="utf-8")
    return root


def test_a_finished_shard_is_not_made_again(few_files, tmp_path, monkeypatch):
    first = build(tmp_path / "out", {"folder": few_files})
    monkeypatch.setattr(builder, "encode_chunk", lambda chunk: pytest.fail(f"{chunk.paths} was encoded again"))
    assert build(tmp_path / "out", {"folder": few_files}) == first


def test_a_build_that_was_killed_goes_on_where_it_stopped(few_files, tmp_path, monkeypatch):
    monkeypatch.setattr(builder, "CHUNK_FILES", 1)
    made = []

    def encode(chunk):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(chunk)
        return encode_files.encode_chunk(chunk)

    monkeypatch.setattr(builder, "encode_chunk", encode)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "out", {"folder": few_files})
    with pytest.raises(FileNotFoundError, match="no finished dataset"):
        Dataset.open(tmp_path / "out")
    resumed = []
    monkeypatch.setattr(
        builder, "encode_chunk", lambda chunk: resumed.append(chunk) or encode_files.encode_chunk(chunk)
    )
    report = build(tmp_path / "out", {"folder": few_files})
    assert len(resumed) == 1
    assert report == build(tmp_path / "whole", {"folder": few_files})


def test_a_changed_file_is_read_again(few_files, tmp_path):
    before = build(tmp_path / "out", {"folder": few_files})
    with (few_files / "one.abc").open("a", encoding="utf-8") as file:
        file.write("CEGc CEGc|\n")
    assert build(tmp_path / "out", {"folder": few_files})["all"]["n_measures"] == before["all"]["n_measures"] + 1


def test_a_fault_of_a_reader_costs_one_file(few_files, tmp_path, monkeypatch):
    read = CORPORA["folder"].read

    def faulty(root, path):
        if path.stem == "one":
            raise RuntimeError("broken")
        return read(root, path)

    monkeypatch.setitem(encode_files.CORPORA, "folder", replace(CORPORA["folder"], read=faulty))
    report = build(tmp_path / "out", {"folder": few_files})
    assert report["all"]["n_pieces"] == 1
    assert report["corpora"]["folder"]["skipped"]["reader failed: RuntimeError: broken"] == 1


def test_a_limit_is_spread_over_the_corpus(few_files, tmp_path):
    chunks = chunks_of("folder", few_files, tmp_path, 2, 10)
    assert [path.stem for chunk in chunks for path in chunk.paths] == ["not-music", "one"]


def test_every_skip_is_told_with_its_reason(few_files, tmp_path):
    report = build(tmp_path / "out", {"folder": few_files})
    skipped = [json.loads(line) for line in (tmp_path / "out" / "skipped.jsonl").read_text().splitlines()]
    assert skipped == [{"corpus": "folder", "what": "not-music.abc#1", "reason": "no notes"}]
    assert report["corpora"]["folder"]["skipped"] == {"no notes": 1}


def test_the_dataset_says_where_each_corpus_is_from(few_files, tmp_path):
    git = few_files / ".git"
    git.mkdir()
    (git / "HEAD").write_text("0123456789" * 4 + "\n")
    build(tmp_path / "out", {"folder": few_files})
    about = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert about["sources"]["folder"] == {
        "url": "", "commit": "0123456789" * 4, "licence": "unknown", "attribution": "", "release": False
    }  # fmt: skip


def test_a_build_that_stops_while_it_writes_is_no_dataset(few_files, tmp_path, monkeypatch):
    whole = build(tmp_path / "out", {"folder": few_files})
    monkeypatch.setattr(builder, "make_report", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "out", {"folder": few_files})
    with pytest.raises(FileNotFoundError, match="no finished dataset"):
        Dataset.open(tmp_path / "out")
    monkeypatch.undo()
    assert build(tmp_path / "out", {"folder": few_files}) == whole
    Dataset.open(tmp_path / "out")


def test_another_version_of_the_code_does_not_join_in(few_files, tmp_path):
    (chunk,) = chunks_of("folder", few_files, tmp_path, None, 10)
    with pytest.raises(ValueError, match=r"begun by code 0000, but .* runs \w{16}"):
        encode_files.encode_chunk(replace(chunk, code="0000"))


def test_composers_kept_unseen_are_in_no_other_split(tmp_path):
    root = tmp_path / "kern"
    for number, composer in enumerate(["Szymanowska, Maria", "Elsner, Józef", "Kurpiński, Karol"]):
        file = root / f"x--{number}_y--z.krn"
        file.parent.mkdir(exist_ok=True)
        licence = "!!!YEM: License CC-BY-4.0 (https://creativecommons.org/licenses/by/4.0)"
        notes = "\n".join(f"4{'cdefgab'[(place * (number + 2)) % 7]}" for place in range(8))
        file.write_text(f"!!!COM: {composer}\n**kern\n*M2/4\n{notes}\n==\n*-\n{licence}\n", encoding="utf-8")
    report = build(tmp_path / "out", {"nifc_polish": root})
    dataset = Dataset.open(tmp_path / "out")
    assert [piece["composer"] for piece in dataset.pieces("unseen")] == ["Szymanowska, Maria"]
    assert len(dataset.tables("unseen")["nifc_polish"].pieces) == 1
    assert report["all"]["splits"]["unseen"] == 1
    assert "| all | 3 |" in (page := (tmp_path / "out" / "report.md").read_text(encoding="utf-8"))
    assert all(line.endswith("/1 |") for line in page.splitlines() if line.startswith("| all |"))


def test_a_dataset_from_before_the_unseen_split_says_so(few_files, tmp_path):
    build(tmp_path / "out", {"folder": few_files})
    (tmp_path / "out" / "tables" / "folder" / "unseen").rename(tmp_path / "gone")
    dataset = Dataset.open(tmp_path / "out")
    assert dataset.tables("train")
    with pytest.raises(FileNotFoundError, match="no split 'unseen' of folder"):
        dataset.tables("unseen")


def test_an_unknown_corpus_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"unknown corpus abc: choose among .*music21_folk"):
        build(tmp_path, {"abc": tmp_path})


def test_nothing_to_use_is_an_error(tmp_path):
    (tmp_path / "empty.abc").write_text("% nothing\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no piece could be used of 1 files; 1 skipped: no music"):
        build(tmp_path / "out", {"folder": tmp_path})


def test_another_vocabulary_is_refused(few_files, tmp_path):
    build(tmp_path / "out", {"folder": few_files})
    about = tmp_path / "out" / "dataset.json"
    about.write_text(about.read_text().replace('"vocabulary": "', '"vocabulary": "0'), encoding="utf-8")
    with pytest.raises(ValueError, match="Build the dataset again"):
        Dataset.open(tmp_path / "out")
