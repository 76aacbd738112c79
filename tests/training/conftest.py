"""A small dataset, made by the real builder from the scores that the music21 package holds."""

import pytest

from training.corpora import CORPORA
from training.dataset.build import Dataset, build

N_FILES = 40


@pytest.fixture(scope="session")
def corpus_root():
    return CORPORA["music21"].default_root()


@pytest.fixture(scope="session")
def dataset(tmp_path_factory, corpus_root):
    folder = tmp_path_factory.mktemp("dataset")
    build(folder, {"music21": corpus_root}, limit=N_FILES)
    return Dataset.open(folder)


@pytest.fixture(scope="session")
def train_tables(dataset):
    return dataset.tables("train")["music21"]
