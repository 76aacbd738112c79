"""The main job through real editors' eyes: real server, real languages, real model, over standard input and output."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from notation.language import language_of
from tests.support.clients import PROFILES
from tests.support.lsp import INVOKED, REAL_SERVER, ROOT, Editor, editor, listening, remote_editor

ABC = ROOT / "examples" / "irish-washerwoman.abc"
XML = ROOT / "examples" / "old-hundredth.musicxml"


def server(model: str) -> tuple[str, ...]:
    return (*REAL_SERVER, "--model", model)


def cut(path: Path, measures: int) -> tuple[str, str]:
    """A piece up to the end of a measure (of the last part, in MusicXML), and what follows."""
    text = path.read_text(encoding="utf-8")
    sign, at = ("|", text.index("K:")) if path is ABC else ("</measure>", text.rindex("<part "))
    for _ in range(measures):
        at = text.index(sign, at) + len(sign)
    return text[:at], text[at:]


def complaints(path: Path, text: str) -> Counter[str]:
    """What the language says about a text, by code."""
    language = language_of(str(path))
    assert language is not None
    return Counter(one.code for one in language.parse(text).diagnostics)


async def has_ghost(one: Editor, uri: str, offset: int) -> list[types.InlineCompletionItem]:
    """What the user is given who asks."""
    items = await one.ghost_items(uri, offset, INVOKED)
    assert len({item.insert_text for item in items}) >= 3, "invoked gives at least three different candidates"
    return items


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("path", "measures"), [pytest.param(ABC, 6, id="abc"), pytest.param(XML, 3, id="musicxml")])
async def test_the_next_measure_stands_there(profile: str, path: Path, measures: int, model: str) -> None:
    before, after = cut(path, measures)
    uri, offset = path.as_uri(), len(before)
    async with editor(profile, server(model), options={"ghostnote": {"delayMs": 0}}) as one:
        one.open(uri, before + after, "abc" if path is ABC else "xml")
        items = await has_ghost(one, uri, offset)
        for item in items:
            completed = one.accept(uri, item)
            assert completed == before + str(item.insert_text) + after
            assert not complaints(path, completed) - complaints(path, before + after)
        assert await one.ghost(uri, offset) == [items[0].insert_text]
        popup = [item for item in await one.popup(uri, offset) if item.data]
        assert popup
        for item, ghost in zip(popup, items, strict=False):
            assert isinstance(item.text_edit, types.TextEdit)
            assert item.text_edit.new_text.endswith(str(ghost.insert_text))
        explained = await one.client.completion_item_resolve_async(popup[0])
        assert explained.documentation
        assert one.client.messages == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        pytest.param(ABC, "% A setting", id="an abc comment"),
        pytest.param(ABC, "T:The", id="an abc title"),
        pytest.param(XML, "<part-name>", id="a musicxml part name"),
        pytest.param(XML, "<?xml", id="the xml declaration"),
    ],
)
async def test_nothing_stands_where_no_music_can_be_written(path: Path, line: str, model: str) -> None:
    text = path.read_text(encoding="utf-8")
    async with editor("vscode", server(model)) as one:
        one.open(path.as_uri(), text, "")
        assert await one.ghost(path.as_uri(), text.index(line) + len(line), INVOKED) == []


@pytest.mark.parametrize("profile", PROFILES)
async def test_typing_a_tune_key_by_key_stays_in_sync(profile: str, model: str) -> None:
    """Requests and cancellations are interleaved; what is shown fits what is typed, and typed rests stay in place."""
    keys = random.Random(profile)
    text = ABC.read_text(encoding="utf-8")
    start = text.index("K:G\n") + len("K:G\n")
    uri = ABC.as_uri()
    async with editor(profile, server(model), options={"delayMs": 0}) as one:
        one.open(uri, text[:start])
        pending: list[asyncio.Future[Any]] = []
        shown = 0
        for number, key in enumerate(text[start : start + 90]):
            end = len(one.texts[uri])
            one.edit(uri, end, end, key)
            if keys.random() < 0.4:
                pending.append(one.ask(uri, f"key-{number}"))
                if keys.random() < 0.5:
                    one.client.cancel_request(types.CancelParams(f"key-{number}"))
            if keys.random() < 0.15:
                shown += fits(one, uri, await one.ghost_items(uri))
        answers = await asyncio.gather(*pending, return_exceptions=True)
        assert {getattr(one, "code", None) for one in answers if isinstance(one, Exception)} <= {
            types.LSPErrorCodes.RequestCancelled.value
        }
        shown += fits(one, uri, await one.ghost_items(uri, kind=INVOKED))
        assert shown > 0
        await one.until(lambda: uri in one.client.diagnostics, "diagnostics")
        assert one.client.messages == []


def fits(one: Editor, uri: str, items: list[types.InlineCompletionItem]) -> int:
    """Check that suggestions add no complaint to the text; gives their number."""
    for item in items:
        assert item.range is not None
        assert item.range.start == one.position(uri)
        assert not complaints(ABC, one.accept(uri, item)) - complaints(ABC, one.texts[uri])
    return len(items)


async def test_a_rest_that_is_typed_stays_as_it_was(model: str) -> None:
    before, _ = cut(ABC, 6)
    uri = ABC.as_uri()
    async with editor("vscode", server(model), options={"delayMs": 0}) as one:
        one.open(uri, before)
        (whole,) = await one.ghost(uri)
        for count, key in enumerate(whole[:-1], start=1):
            end = len(one.texts[uri])
            one.edit(uri, end, end, key)
            assert await one.ghost(uri) == [whole[count:]]


@pytest.mark.parametrize("scheme", ["tcp", "ws"])
async def test_two_editors_share_one_listening_server(scheme: str, model: str) -> None:
    address = ("--tcp" if scheme == "tcp" else "--ws", "127.0.0.1:0")
    with listening(*server(model), *address) as port:
        async with (
            remote_editor(port, "vscode", scheme=scheme) as first,
            remote_editor(port, "helix", scheme=scheme) as second,
        ):
            (abc, _), (xml, rest) = cut(ABC, 5), cut(XML, 3)
            first.open(ABC.as_uri(), abc)
            second.open(XML.as_uri(), xml + rest, "xml")
            answers = await asyncio.gather(
                first.ghost(ABC.as_uri(), kind=INVOKED), second.ghost(XML.as_uri(), len(xml), INVOKED)
            )
            assert all(len(set(answer)) >= 3 for answer in answers)
            assert "<" not in "".join(answers[0])
            assert all(text.lstrip().startswith("<measure") for text in answers[1])


BAD_TEXTS = [
    pytest.param("", id="empty"),
    pytest.param("".join(map(chr, range(256))) * 50, id="binary"),
    pytest.param("\ud834 X:1\nK:C\nCDEF|", id="a lone surrogate"),
    pytest.param("X:1\nK:C\n" + "C" * 20_000, id="one endless measure"),
    pytest.param('<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "x">]><a>&b;</a>', id="entities"),
    pytest.param("<score-partwise><part id='P1'><measure>" + "<note>" * 3000, id="tags that never end"),
]


@pytest.mark.parametrize("language_id", ["abc", "musicxml"])
async def test_the_server_lives_on_after_bad_text(language_id: str, model: str, subtests: Any) -> None:
    async with editor("neovim", server(model), options={"delayMs": 0}) as one:
        for number, parameter in enumerate(BAD_TEXTS):
            with subtests.test(parameter.id):
                uri, text = f"file:///bad-{number}", str(parameter.values[0])
                one.open(uri, text, language_id)
                await one.ghost(uri)
                await one.popup(uri)
                await one.until(lambda uri=uri: uri in one.client.diagnostics, "diagnostics")
        before, _ = cut(ABC, 6)
        one.open(ABC.as_uri(), before)
        assert len(await one.ghost(ABC.as_uri())) == 1
