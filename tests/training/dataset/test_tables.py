"""Tables give back what was put in, whole or in part."""

import numpy as np
import pytest

from notation.language import language
from notation.tokens.encode import encode_score, reference_distances
from training.dataset.restore import restore_score
from training.dataset.tables import Tables, TableWriter, concatenate, select_pieces

TUNES = [
    "X:1\nM:6/8\nL:1/8\nR:jig\nK:D\nA|dfa afd|gfe efg|dfa afd|gfe d2:|\n|:e|c3 dec|dfa afd|gfe d2||\n",
    'X:2\nM:3/4\nL:1/4\nK:Gm\n"Gm"G2 ^F|G>A B|(3cBA G|G2 ^F|G3|]\n',
    "X:3\nM:C\nL:1/4\nV:1\nV:2 clef=bass\nK:C\n[V:1]CDEF|GABc|CDEF|c4|]\n[V:2]C,4|G,,4|C,2C,2|C,4|]\n",
    "X:4\nM:4/4\nL:1/4\nK:C\nCDEF|[M:3/4]CDE|[K:A]ABc|\n",
]


@pytest.fixture(scope="module")
def scores():
    return [encode_score(language("abc").parse(text).scores[0], "folk") for text in TUNES]


@pytest.fixture(scope="module")
def tables(scores):
    writer = TableWriter()
    for score in scores:
        writer.add(score, "folk")
    return writer.tables()


def assert_same(tables, piece, score):
    assert tuple(tables.preamble(piece)) == score.preamble
    assert int(tables.pieces[piece]["n_parts"]) == score.n_parts
    stored = tables.read_measures(piece, 0, 100)
    assert len(stored) == len(score.measures)
    for index, (one, measure) in enumerate(zip(stored, score.measures, strict=True)):
        assert one.encoded.head == measure.head
        assert one.encoded.segments == measure.segments
        assert one.encoded.barline == measure.barline
        assert one.encoded.metre_and_key == measure.metre_and_key
        for segment, mask in zip(measure.segments, one.ref_masks, strict=True):
            backs = [back for back in range(1, 33) if mask >> (back - 1) & 1]
            assert backs == reference_distances(score.measures, index, segment)


@pytest.mark.parametrize("piece", range(len(TUNES)))
def test_a_piece_is_read_as_it_was_written(tables, scores, piece):
    assert_same(tables, piece, scores[piece])


def test_a_repeated_measure_is_known_as_one(tables):
    (mask,) = tables.read_measures(0, 3, 4)[0].ref_masks
    assert mask == 0b10


def test_some_pieces_in_another_order(tables, scores):
    chosen = select_pieces(tables, [2, 0])
    assert len(chosen.pieces) == 2
    assert_same(chosen, 0, scores[2])
    assert_same(chosen, 1, scores[0])


def test_no_piece_at_all(tables):
    chosen = select_pieces(tables, [])
    assert len(chosen.pieces) == len(chosen.ids) == 0


def test_table_sets_one_after_another(tables, scores):
    joined = concatenate([tables, select_pieces(tables, [1]), tables])
    for piece, score in enumerate([*scores, scores[1], *scores]):
        assert_same(joined, piece, score)


@pytest.mark.parametrize("pieces", [[], [0, 1, 2, 3]], ids=["empty", "full"])
def test_on_disk_and_back(tables, scores, tmp_path, pieces):
    select_pieces(tables, pieces).save(tmp_path)
    opened = Tables.open(tmp_path)
    for piece in pieces:
        assert_same(opened, piece, scores[piece])
    assert len(opened.pieces) == len(pieces)


def test_the_arrays_are_mapped_not_read(tables, tmp_path):
    tables.save(tmp_path)
    assert isinstance(Tables.open(tmp_path).ids, np.memmap)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        Tables.open(tmp_path)


def test_measures_a_few_at_a_time(tables):
    assert list(tables.iterate_measures(0, 2, chunk=2)) == tables.read_measures(0, 2, 100)


@pytest.mark.parametrize("piece", range(len(TUNES)))
def test_a_restored_score_has_the_same_tokens(tables, scores, piece):
    again = encode_score(restore_score(tables, piece), "folk")
    assert again.measures == scores[piece].measures
    assert again.preamble == scores[piece].preamble


def test_real_pieces_survive_restoring(train_tables):
    for piece in range(0, len(train_tables.pieces), 5):
        again = encode_score(restore_score(train_tables, piece))
        stored = train_tables.read_measures(piece, 0, len(again.measures))
        assert [one.encoded.segments for one in stored] == [one.segments for one in again.measures]
        assert [one.encoded.head for one in stored] == [one.head for one in again.measures]
