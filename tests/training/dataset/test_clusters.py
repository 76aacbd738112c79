"""Near doubles come together, and whole clusters go to one split."""

import random
from fractions import Fraction

import pytest

from notation.score import Event, Measure, Note, Part, Pitch, Score, Voice
from training.corpora.base import Piece, composer_key
from training.dataset import clusters

_SCALE = [Pitch.at(position, 0) for position in range(24, 40)]


def tune(seed, length=64):
    """A random walk in C."""
    draw = random.Random(seed)
    place, line = 8, []
    for _ in range(length):
        place = max(0, min(15, place + draw.choice((-3, -2, -1, 1, 2, 3))))
        line.append(_SCALE[place].midi)
    return line


def described(identity, line, work=None, title="", composer="", genre="folk", composer_key=""):
    return {
        "id": identity,
        "work": work or identity,
        "title": title,
        "composer": composer,
        "composer_key": composer_key,
        "genre": genre,
        "description": clusters.sketch(line),
    }


def together(*pieces):
    names = [name for name, _ in clusters.assign_splits(pieces)]
    return len(set(names)) == 1


def test_a_transposed_and_ornamented_double_is_found():
    line = tune(1)
    other = [midi + 5 for midi in line]
    other[20] += 2
    other.insert(40, other[39] + 1)
    assert clusters.jaccard(clusters.sketch(line), clusters.sketch(other)) < 1
    assert together(described("a", line), described("b", other))


def test_different_tunes_stay_apart():
    assert not together(described("a", tune(1)), described("b", tune(2)))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param({"work": "w"}, {"work": "w", "genre": "hymn"}, True, id="one work"),
        pytest.param({"title": "The Reel (1)"}, {"title": "Reel, the"}, True, id="one title, one genre"),
        pytest.param({"title": "Reel"}, {"title": "Reel", "genre": "hymn"}, False, id="one title, two genres"),
        pytest.param({}, {}, False, id="no title names nothing"),
        pytest.param(
            {"title": "Kyrie", "genre": "choral"}, {"title": "Kyrie", "genre": "choral"}, False, id="a common title"
        ),
        pytest.param(
            {"title": "Kyrie", "genre": "choral", "composer": "Elsner"},
            {"title": "Kyrie", "genre": "choral", "composer": "Elsner"},
            False,
            id="a common title by one composer",
        ),
        pytest.param(
            {"title": "Msza C-dur Kyrie", "genre": "choral", "composer": "Elsner"},
            {"title": "Msza C dur, Kyrie", "genre": "choral", "composer": "Elsner"},
            True,
            id="a long title by one composer",
        ),
    ],
)
def test_names_join(one, other, expected):
    assert together(described("a", tune(1), **one), described("b", tune(2), **other)) is expected


def test_clusters_are_transitive_and_named_by_their_smallest_id():
    pieces = [
        described("c", tune(1), work="w"),
        described("b", tune(2), work="w", title="Jig"),
        described("a", tune(3), title="Jig"),
        described("d", tune(4)),
    ]
    assert [name for name, _ in clusters.assign_splits(pieces)] == ["a", "a", "a", "d"]


def test_splits_do_not_depend_on_the_order():
    pieces = [described(f"p{n}", tune(n % 150), title=f"T{n % 170}") for n in range(300)]
    expected = {piece["id"]: split for piece, split in zip(pieces, clusters.assign_splits(pieces), strict=True)}
    random.Random(0).shuffle(pieces)
    assert {p["id"]: s for p, s in zip(pieces, clusters.assign_splits(pieces), strict=True)} == expected


def test_splits_are_frozen():
    names = [f"piece {n}" for n in range(60)]
    assert [name for name in names if clusters.split_of(name) == "valid"] == ["piece 5", "piece 59"]
    assert [name for name in names if clusters.split_of(name) == "test"] == [f"piece {n}" for n in (12, 38, 41, 42)]


def test_an_unseen_composer_takes_the_whole_cluster_along_and_no_other():
    pieces = [described(f"p{n}", tune(n), work=f"w{n // 2}") for n in range(40)]
    before = clusters.assign_splits(pieces)
    pieces[7]["composer_key"] = "beach amy"
    pieces[8]["composer_key"] = "beach john"
    after = clusters.assign_splits(pieces)
    assert [name for name, _ in after] == [name for name, _ in before]
    changed = [index for index in range(40) if after[index] != before[index]]
    assert changed == [6, 7]
    assert {after[index][1] for index in changed} == {"unseen"}


def test_unseen_composers_are_frozen():
    names = [
        "Beach,_Amy", "Dvořák,_Antonín", "Gomółka, Mikołaj", "Pękiel, Bartłomiej", "Stojowski, Zygmunt",
        "Szymanowska, Maria", "Wolf,_Hugo", "Zarębski, Juliusz", "Żebrowski, Marcin Józef",
    ]  # fmt: skip
    assert {composer_key(name) for name in names} == clusters.UNSEEN_COMPOSERS


def test_split_shares():
    names = [clusters.split_of(str(n)) for n in range(20_000)]
    shares = {split: names.count(split) / len(names) for split in ("train", "valid", "test")}
    assert shares == pytest.approx({"train": 0.9, "valid": 0.05, "test": 0.05}, abs=0.005)


def test_the_index_of_long_melodies_is_estimated():
    draw = random.Random(5)
    common, own, other = ([draw.randrange(40, 90) for _ in range(3000)] for _ in range(3))
    estimate = clusters.jaccard(clusters.sketch(common + own), clusters.sketch(common + other))
    assert len(clusters.sketch(common + own)) == clusters.SKETCH_SIZE
    assert estimate == pytest.approx(1 / 3, abs=0.1)


def test_the_melody_is_the_top_line_with_ties_once():
    def event(onset, *names, tie=False, grace=False):
        notes = tuple(Note(Pitch(name, 4), tie=tie) for name in names)
        return Event(Fraction(onset, 4), Fraction(0 if grace else 1, 4), notes, grace=grace)

    measures = (
        Measure((Voice((event(0, "C", "E"), event(1), event(2, "F", grace=True), event(2, "G", tie=True))),)),
        Measure((Voice((event(0, "G"), event(1, "G"))),)),
    )
    score = Score((Part("1", measures), Part("2", measures[:1])))
    assert clusters.melody(score) == [64, 67, 67]
    piece = Piece("x/1", "x/1", "", "", score, "", "", "folk")
    assert clusters.describe(piece) == clusters.sketch([64, 67, 67]) == []
