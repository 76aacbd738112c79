"""Runs of measures are found in the training split if they stand there, and only then. A measure is a few notes."""

import pytest

from benchmarks.copying import Count, count_copies, index_of, runs, table
from export.evaluation.infill import Gap
from export.evaluation.tasks import parts_of
from notation.tokens import vocabulary as v
from training.dataset.build import Dataset, build

TUNES = {
    "one": "GABc|dBGB|GABc|dedB|GABc|dBAG|AGFA|G4|",
    "two": "cdec|defd|efge|fgaf|gabg|c'bag|fedc|c4|",
}
"""By file names whose hashes put them into the training split."""


def content(*steps):
    return (((1, 1), tuple(v.NOTE_IDS[step, 0] for step in steps)),)


def test_runs_that_say_nothing_do_not_count():
    a, b, short = content(0, 1, 2), content(2, 1, 0), content(0)
    assert len(list(runs([a, b, a, b, a], 4))) == 2
    assert not list(runs([a, a, a, a], 4))
    assert not list(runs([short, content(1), short, content(1)], 4))
    assert not list(runs([a, b, a], 4))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root, out = tmp_path_factory.mktemp("scores"), tmp_path_factory.mktemp("dataset")
    (root / "folk").mkdir()
    for name, music in TUNES.items():
        text = f"X:1\nT:tune {name}\nM:4/4\nL:1/4\nK:G\n{music}\n"
        (root / "folk" / f"{name}.abc").write_text(text, encoding="utf-8")
    build(out, {"folder": root})
    return Dataset.open(out)


def test_copies_are_counted_apart_from_the_pieces_own(dataset):
    index = index_of(dataset, "folk")
    source = parts_of(dataset, "train", "folk")[0]
    contents = source.contents()
    new = [content(step, step + 1, step + 3) for step in range(8)]
    gap = Gap(source, source.score(), new, 4, 4, infilled=False)
    told = []
    counts = count_copies(index, [gap], [lambda _: contents[:5]], lambda: told.append(1))
    assert counts[4] == Count(runs=2, copied=2, own=0)
    assert count_copies(index, [gap], [lambda _: new[:5]] * 3, lambda: None)[4] == Count(runs=6)
    own = Gap(source, source.score(), contents, 5, 3, infilled=False)
    assert count_copies(index, [own], [lambda _: contents[:4]], lambda: None)[4] == Count(runs=1, copied=1, own=1)
    assert told == [1]


def test_the_table_states_runs_and_shares():
    assert "| a model | 8 | 2 (25.00%) | 1 | 0 | 0 (0.00%) | 0 |" in table({"a model": {4: Count(8, 2, 1), 8: Count()}})
