"""What is made while the search for garbage is spared is left alone by it, until everything is searched again."""

import gc
import weakref
from collections.abc import Callable, Iterator

import pytest
from lsprotocol import types

from lsp_server import documents, garbage
from lsp_server.documents import Documents
from lsp_server.settings import Settings
from lsp_server.transports import House

URI = "file:///a.abc"
TUNE = "X:1\nK:C\nCDEF GABc|\n"
LARGE = TUNE + "% said again\n" * 4_000


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


def item(text: str, uri: str = URI) -> types.TextDocumentItem:
    return types.TextDocumentItem(uri, "abc", 1, text)


def opened(text: str) -> Documents:
    found = Documents()
    found.open(item(text))
    return found


def change(found: Documents, text: str) -> None:
    identifier = types.VersionedTextDocumentIdentifier(2, URI)
    found.change(types.DidChangeTextDocumentParams(identifier, [types.TextDocumentContentChangeWholeDocument(text)]))


def parsed_score(found: Documents) -> object:
    snapshot = found.get(URI)
    assert snapshot is not None
    return snapshot.parsed.scores[0]


def test_many_objects_that_are_made_meanwhile_are_never_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "_MANY", 1_000)
    with garbage.spared():
        assert not gc.isenabled()
        made = [Node() for _ in range(2_000)]
    assert gc.isenabled()
    assert not is_searched(made[0])
    garbage.search_all()
    assert is_searched(made[0])


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


def test_garbage_that_was_in_use_during_an_edit_is_found() -> None:
    found = opened(LARGE)
    parsed_score(found)
    in_use = Node()
    gone = weakref.ref(in_use)
    change(found, LARGE + "CDEF|")
    parsed_score(found)
    del in_use
    gc.collect()
    assert gone() is None


@pytest.fixture
def _any_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "_MANY", -1)


@pytest.mark.usefixtures("_any_are_many")
@pytest.mark.parametrize(
    ("text", "is_spared"),
    [
        pytest.param(TUNE, False, id="a small document is searched as any object"),
        pytest.param(LARGE, True, id="a large one is spared"),
    ],
)
def test_the_score_of_a_large_document_is_spared_until_it_is_closed(text: str, is_spared: bool) -> None:
    assert (len(text) >= documents._LARGE) == is_spared
    found = opened(text)
    score = parsed_score(found)
    assert is_searched(score) != is_spared
    found.close(URI)
    assert is_searched(score)


@pytest.mark.usefixtures("_any_are_many")
@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda found: (change(found, TUNE), found.close(URI)), id="it is small when it is closed"),
        pytest.param(lambda found: (found.open(item(TUNE)), found.close(URI)), id="it was opened again"),
        pytest.param(Documents.clear, id="the client is gone"),
    ],
)
def test_nothing_is_spared_when_no_document_is_large_any_more(end: Callable[[Documents], object]) -> None:
    found = opened(LARGE)
    score = parsed_score(found)
    assert not is_searched(score)
    end(found)
    assert is_searched(score)


@pytest.mark.usefixtures("_any_are_many")
def test_a_large_document_is_spared_though_another_is_closed() -> None:
    found = opened(LARGE)
    score = parsed_score(found)
    found.open(item(TUNE, "file:///b.abc"))
    found.close("file:///b.abc")
    assert not is_searched(score)


def test_a_client_that_is_gone_has_no_documents() -> None:
    house = House(Settings())
    server = house.server()
    server.session.documents.open(item(TUNE))
    server.close()
    house.close()
    assert server.session.documents.all() == []
