"""What is made while the search for garbage is spared is left alone by it, until everything is searched again."""

import gc
import weakref
from collections.abc import Iterator

import pytest
from lsprotocol import types

from lsp_server import documents, garbage
from lsp_server.documents import Documents

TUNE = "X:1\nK:C\nCDEF GABc|\n"


class Node:
    """What may stand in a cycle."""

    def __init__(self) -> None:
        self.itself: object = self


@pytest.fixture(autouse=True)
def search_everything_afterwards() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def is_searched(one: object) -> bool:
    return any(other is one for other in gc.get_objects())


def opened(text: str) -> Documents:
    found = Documents()
    found.open(types.TextDocumentItem("file:///a.abc", "abc", 1, text))
    return found


def parsed_score(found: Documents) -> object:
    snapshot = found.get("file:///a.abc")
    assert snapshot is not None
    return snapshot.parsed.scores[0]


def test_what_is_made_meanwhile_is_never_searched() -> None:
    with garbage.spared():
        assert not gc.isenabled()
        made = Node()
    assert gc.isenabled()
    assert not is_searched(made)
    garbage.search_all()
    assert is_searched(made)


def test_an_error_meanwhile_leaves_the_search_on() -> None:
    with pytest.raises(KeyError), garbage.spared():
        raise KeyError
    assert gc.isenabled()


def test_a_search_that_was_off_stays_off() -> None:
    gc.disable()
    with garbage.spared():
        pass
    assert not gc.isenabled()


def test_young_garbage_is_found_first() -> None:
    made = weakref.ref(Node())
    with garbage.spared():
        pass
    assert made() is None


@pytest.mark.parametrize(
    ("text", "is_spared"),
    [
        pytest.param(TUNE, False, id="a small document is searched as any object"),
        pytest.param(TUNE + "% said again\n" * 4_000, True, id="a large one is spared"),
    ],
)
def test_the_score_of_a_large_document_is_spared_until_it_is_closed(text: str, is_spared: bool) -> None:
    assert (len(text) >= documents._LARGE) == is_spared
    found = opened(text)
    score = parsed_score(found)
    assert is_searched(score) != is_spared
    found.close("file:///a.abc")
    assert is_searched(score)
