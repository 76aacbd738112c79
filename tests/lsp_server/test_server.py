"""The server's own behaviour over real connections, with a model and a language that tests can foresee."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.support.clients import PROFILES
from tests.support.fake_model import suggestion
from tests.support.lsp import AUTOMATIC, FAKE_SERVER, INVOKED, Editor, editor, listening, remote_editor

URI = "file:///music/tune.abc"
ENCODING = {"vscode": "utf-16", "neovim": "utf-8", "eglot": "utf-32", "helix": "utf-8"}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of a server that the tests share, each as a client of its own."""
    with listening(*FAKE_SERVER, "--tcp") as one:
        yield one


ODD_TEXTS = [
    pytest.param("", id="empty"),
    pytest.param("ab", id="no final newline"),
    pytest.param("ab\r\ncd\r\n", id="CRLF"),
    pytest.param("𝄞é ab", id="astral"),
    pytest.param("a\u2028b\x0cc", id="U+2028 and form feed"),
]


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_client_is_told_what_there_is(profile: str) -> None:
    async with editor(profile) as one:
        offered = one.capabilities
        assert one.encoding.value == ENCODING[profile]
        assert offered.inline_completion_provider is not None
        assert offered.completion_provider is not None
        assert offered.completion_provider.resolve_provider is True
        assert isinstance(offered.text_document_sync, types.TextDocumentSyncOptions)
        assert offered.text_document_sync.change == types.TextDocumentSyncKind.Incremental
        assert offered.text_document_sync.open_close is True


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("text", ODD_TEXTS)
async def test_ghost_text_stands_at_the_cursor(profile: str, text: str, port: int) -> None:
    async with remote_editor(port, profile) as one:
        one.open(URI, text)
        one.edit(URI, len(text), len(text), "é|")
        (item,) = await one.ghost_items(URI)
        assert one.accept(URI, item) == text + "é|" + str(item.insert_text)
        assert item.range is not None
        assert item.range.start == item.range.end == one.position(URI)


@pytest.mark.parametrize("profile", PROFILES)
async def test_invoked_gives_three_different_candidates_and_automatic_one_of_them(profile: str, port: int) -> None:
    async with remote_editor(port, profile) as one:
        one.open(URI, "abc|")
        (automatic,) = await one.ghost(URI, kind=AUTOMATIC)
        invoked = await one.ghost(URI, kind=INVOKED)
        assert len(set(invoked)) >= 3
        assert invoked[0] == automatic
        assert await one.ghost(URI, kind=AUTOMATIC) == [automatic]


async def test_no_ghost_text_where_no_music_can_be_written(port: int) -> None:
    async with remote_editor(port) as one:
        one.open(URI, "% a comment")
        assert await one.ghost(URI, kind=INVOKED) == []


async def test_typing_through_a_suggestion_asks_no_model(capfd: Any) -> None:
    async with editor() as one:
        one.open(URI, "abc|")
        whole = (await one.ghost(URI))[0]
        for count, character in enumerate(whole[:-1], start=1):
            end = len(one.texts[URI])
            one.edit(URI, end, end, character)
            assert await one.ghost(URI) == [whole[count:]]
    assert capfd.readouterr().err.count("model call") == 1


async def test_the_selected_popup_entry_is_extended_over_its_range(port: int) -> None:
    async with remote_editor(port) as one:
        one.open(URI, "abc !tr")
        range_ = types.Range(one.position(URI, 4), one.position(URI, 7))
        selected = types.SelectedCompletionInfo(range_, "!trill!")
        (item,) = await one.ghost_items(URI, selected=selected)
        assert item.range == range_
        text = str(item.insert_text)
        assert text.startswith("!trill!")
        assert len(text) > len("!trill!")
        assert (item.filter_text or text).startswith("!tr")
        one.edit(URI, 4, 7, "!trill!")
        assert await one.ghost(URI) == [text.removeprefix("!trill!")]


async def test_a_selected_entry_that_does_not_begin_with_what_is_typed_still_shows(port: int) -> None:
    async with remote_editor(port) as one:
        one.open(URI, "abc tri")
        selected = types.SelectedCompletionInfo(types.Range(one.position(URI, 4), one.position(URI, 7)), "!trill!")
        (item,) = await one.ghost_items(URI, selected=selected)
        assert item.filter_text is not None
        assert item.filter_text.startswith("tri")


async def test_a_selected_entry_over_several_lines_is_left_alone(port: int) -> None:
    async with remote_editor(port) as one:
        one.open(URI, "ab\ncd")
        selected = types.SelectedCompletionInfo(types.Range(types.Position(0, 1), types.Position(1, 1)), "x")
        assert await one.ghost(URI, selected=selected) == []


async def test_cancel_request_stops_the_model(capfd: Any) -> None:
    async with editor() as one:
        one.open(URI, "SLOW abc|")
        pending = one.ask(URI, "slow", INVOKED)
        printed: list[str] = []
        await one.until(lambda: "model call" in _printed(capfd, printed), "the model works")
        one.client.cancel_request(types.CancelParams("slow"))
        with pytest.raises(JsonRpcException) as caught:
            await pending
        assert caught.value.code == types.LSPErrorCodes.RequestCancelled
        one.edit(URI, 0, 5, "")
        assert await one.ghost(URI) != []
        assert one.client.messages == []
    assert "model stopped" in _printed(capfd, printed)


def _printed(capfd: Any, so_far: list[str]) -> str:
    """Everything that the server has printed."""
    sys.stderr.buffer.flush()
    so_far.append(capfd.readouterr().err)
    return "".join(so_far)


async def test_an_edit_overtakes_a_request_and_the_newest_request_wins(port: int) -> None:
    async with remote_editor(port) as one:
        one.open(URI, "SLOW abc|")
        first = asyncio.ensure_future(one.ghost(URI, kind=INVOKED))
        second = asyncio.ensure_future(one.ghost(URI, 4, kind=INVOKED))
        await asyncio.sleep(0)
        one.edit(URI, 0, 5, "")
        third = asyncio.ensure_future(one.ghost(URI, kind=INVOKED))
        assert await first == []
        assert await second == []
        assert len(await third) >= 3


async def test_a_request_is_about_the_text_as_it_was_when_it_was_sent(port: int) -> None:
    """Messages that arrive together are handled before the first coroutine begins."""
    async with remote_editor(port) as one:
        one.open(URI, "𝄞abc|")
        pending = one.ask(URI, "early")
        one.edit(URI, 0, 4, "")
        one.edit(URI, 0, 0, "d\n\n\n")
        early = await pending
        assert early is None or [item.insert_text for item in early.items] == [suggestion("𝄞abc|", 5, 0).text]
        (item,) = await one.ghost_items(URI)
        assert one.accept(URI, item).startswith("d\n\n\n|")


async def test_two_documents_do_not_disturb_each_other(port: int) -> None:
    async with remote_editor(port) as one:
        other = "file:///music/other.abc"
        one.open(URI, "abc|")
        one.open(other, "def|")
        answers = await asyncio.gather(one.ghost(URI), one.ghost(other))
        assert [len(answer) for answer in answers] == [1, 1]


@pytest.mark.parametrize("profile", PROFILES)
async def test_the_popup_gives_the_same_predictions_with_explanations(profile: str, port: int) -> None:
    async with remote_editor(port, profile) as one:
        one.open(URI, "é abc")
        invoked = await one.ghost(URI, kind=INVOKED)
        items = await one.popup(URI)
        edits = [item.text_edit for item in items]
        assert all(isinstance(edit, types.TextEdit) for edit in edits)
        word = types.Range(one.position(URI, 2), one.position(URI, 5))
        assert [(edit.range, edit.new_text) for edit in edits] == [(word, f"abc{text}") for text in invoked]
        assert all(item.filter_text.startswith("abc") for item in items)
        resolved = await one.client.completion_item_resolve_async(items[1])
        documentation = resolved.documentation
        value = documentation.value if isinstance(documentation, types.MarkupContent) else documentation
        assert "fake candidate 1" in value
        assert invoked[1].strip() in value


async def test_predictions_and_tables_are_merged_and_ranked(port: int) -> None:
    async with remote_editor(port) as one:
        one.open(URI, "abc !tr")
        await one.ghost(URI)
        items = sorted(await one.popup(URI), key=lambda item: item.sort_text)
        assert items[0].label == "!trill!"
        assert items[-1].label == "!fermata!"
        assert [item.detail for item in items[1:-1]] == ["1 measure"] * 3


async def test_an_entry_of_an_earlier_list_is_given_back_as_it_is(port: int) -> None:
    async with remote_editor(port) as one:
        one.open(URI, "abc|")
        await one.ghost(URI)
        old = (await one.popup(URI))[0]
        one.edit(URI, 0, 1, "c")
        await one.popup(URI)
        assert (await one.client.completion_item_resolve_async(old)).documentation is None


@pytest.mark.parametrize("profile", PROFILES)
async def test_diagnostics_follow_the_text(profile: str, port: int) -> None:
    async with remote_editor(port, profile) as one:
        one.open(URI, "𝄞?")
        await one.until(lambda: one.client.diagnostics.get(URI), "the first diagnostics")
        (found,) = one.client.diagnostics[URI]
        assert found.range == types.Range(one.position(URI, 1), one.position(URI, 2))
        assert (found.code, found.severity, found.source) == ("question", types.DiagnosticSeverity.Error, "ghostnote")
        assert found.message == "a question mark (Fake 1, 2.3)"
        one.edit(URI, 1, 2, "")
        await one.until(lambda: not one.client.diagnostics[URI], "the diagnostics are gone")
        one.edit(URI, 1, 1, "?")
        await one.until(lambda: one.client.diagnostics[URI], "they are back")
        one.client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(URI)))
        await one.until(lambda: not one.client.diagnostics[URI], "a closed document has none")


async def test_a_document_full_of_errors_shows_a_bounded_number(port: int) -> None:
    async with remote_editor(port) as one:
        one.open(URI, "?" * 5000)
        await one.until(lambda: one.client.diagnostics.get(URI), "diagnostics")
        assert len(one.client.diagnostics[URI]) == 500


@pytest.mark.parametrize("profile", PROFILES)
async def test_loading_the_model_shows_progress(profile: str) -> None:
    async with editor(profile) as one:
        await one.until(lambda: [len(one) for one in one.client.progress_reports.values()] == [2], "begin and end")
        ((begin, end),) = one.client.progress_reports.values()
        assert isinstance(begin, types.WorkDoneProgressBegin)
        assert isinstance(end, types.WorkDoneProgressEnd)


async def test_the_first_request_waits_for_the_settings() -> None:
    async with editor(configuration={"candidates": 5}) as one:
        one.open(URI, "abc|")
        assert len(await one.ghost(URI, kind=INVOKED)) == 5


async def test_settings_come_from_every_door_and_take_effect_at_once() -> None:
    async with editor(options={"ghostnote": {"trigger": "manual"}}, configuration={"candidates": 5}) as one:
        one.open(URI, "abc|")
        assert await one.ghost(URI) == []
        await one.until(lambda: one.client.progress_reports, "configuration was fetched")
        assert len(await one.ghost(URI, kind=INVOKED)) == 5
        one.client.workspace_did_change_configuration(
            types.DidChangeConfigurationParams({"ghostnote": {"trigger": "automatic", "candidates": 4}})
        )
        assert len(await one.ghost(URI)) == 1
        assert len(await one.ghost(URI, kind=INVOKED)) == 4
        one.client.set_configuration({"ghostnote": {"trigger": "manual"}})
        one.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(None))
        for _ in range(200):
            one.edit(URI, 0, 0, "a")
            if not await one.ghost(URI):
                break
        else:
            pytest.fail("the pulled settings never took effect")
        assert one.registrations == [
            types.WORKSPACE_DID_CHANGE_CONFIGURATION,
            types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
        ]


async def test_in_manual_mode_a_typed_character_brings_no_predictions(port: int) -> None:
    async with remote_editor(port, options={"trigger": "manual"}) as one:
        one.open(URI, "abc|")
        await one.ghost(URI, kind=INVOKED)
        by_character = types.CompletionContext(types.CompletionTriggerKind.TriggerCharacter, "|")
        assert await one.popup(URI, context=by_character) == []
        assert len(await one.popup(URI, context=types.CompletionContext(types.CompletionTriggerKind.Invoked))) == 3


async def test_a_wrong_setting_is_shown_once_and_the_rest_taken(port: int) -> None:
    wrong = {"ghostnote": {"measures": "many", "trigger": "manual"}}
    async with remote_editor(port, options=wrong) as one:
        one.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(wrong))
        one.open(URI, "abc|")
        assert await one.ghost(URI) == []
        assert [message.message for message in one.client.messages] == [
            "ghostnote.measures is 'many' but must be a whole number from 1 to 16; 1 stays in force."
        ]


async def test_diagnostics_can_be_switched_off_and_on(port: int) -> None:
    async with remote_editor(port) as one:
        one.open(URI, "a?")
        await one.until(lambda: one.client.diagnostics.get(URI), "diagnostics")
        one.client.workspace_did_change_configuration(types.DidChangeConfigurationParams({"diagnostics": False}))
        await one.until(lambda: not one.client.diagnostics[URI], "they are gone")
        one.client.workspace_did_change_configuration(types.DidChangeConfigurationParams({"diagnostics": True}))
        await one.until(lambda: one.client.diagnostics[URI], "they are back")


@pytest.mark.parametrize("profile", PROFILES)
async def test_without_a_model_everything_else_works_and_one_message_says_why(profile: str, port: int) -> None:
    async with remote_editor(port, profile, options={"model": "nowhere"}) as one:
        one.open(URI, "abc? !tr")
        assert await one.ghost(URI, kind=INVOKED) == []
        assert await one.ghost(URI) == []
        assert [item.label for item in await one.popup(URI)] == ["!trill!", "!fermata!"]
        await one.until(lambda: one.client.diagnostics.get(URI), "diagnostics")
        assert [message.message for message in one.client.messages] == [
            "Ghostnote gives no suggestions: there is no model 'nowhere'. Choose another."
        ]
        one.client.workspace_did_change_configuration(types.DidChangeConfigurationParams({"model": ""}))
        assert len(await one.ghost(URI, kind=INVOKED)) >= 3


@pytest.mark.parametrize(
    ("language_id", "path", "is_known"),
    [
        pytest.param("abc", "untitled:1", True, id="abc"),
        pytest.param("abcnotation", "untitled:1", True, id="another name of abc"),
        pytest.param("plaintext", "file:///a%20b/tune.abc", True, id="unknown name, known suffix"),
        pytest.param("plaintext", "file:///tune.txt", False, id="neither"),
        pytest.param("", "not a uri://[", False, id="no uri at all"),
    ],
)
async def test_the_language_of_a_document(language_id: str, path: str, is_known: bool, port: int) -> None:
    async with remote_editor(port) as one:
        one.open(path, "abc|", language_id)
        assert bool(await one.ghost(path)) is is_known


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("BOOM", id="a parser that raises"),
        pytest.param("\0\x01\x7f\ufffd" * 1000, id="binary"),
        pytest.param("\ud834 lone \udd1e", id="lone surrogates"),
        pytest.param("x" * 10_000_001, id="too large"),
        pytest.param("\n" * 300_000, id="many lines"),
    ],
)
async def test_the_server_lives_on_after_bad_text(text: str, capfd: Any) -> None:
    bad = "file:///bad.abc"
    async with editor() as one:
        one.open(bad, text)
        await one.ghost(bad, 0)
        await one.popup(bad, 0)
        one.edit(bad, 0, 1, "a")
        await one.ghost(bad, 1)
        one.open(URI, "abc|")
        assert len(await one.ghost(URI)) == 1
    assert "BOOM" not in capfd.readouterr().err


async def test_a_document_that_is_too_large_is_said_to_be(port: int) -> None:
    async with remote_editor(port) as one:
        one.open(URI, "x" * 10_000_001)
        await one.until(lambda: one.client.diagnostics.get(URI), "diagnostics")
        (found,) = one.client.diagnostics[URI]
        assert "10,000,001" in found.message
        assert "10,000,000" in found.message


async def test_requests_for_documents_that_are_not_open_are_answered(port: int) -> None:
    async with remote_editor(port) as one:
        one.texts["file:///never.abc"] = ""
        assert await one.ghost("file:///never.abc") == []
        assert await one.popup("file:///never.abc") == []


async def test_malformed_parameters_are_answered_with_an_error(port: int) -> None:
    async with remote_editor(port) as one:
        with pytest.raises(JsonRpcException):
            await one.ask_raw({"wrong": 1})
        one.open(URI, "abc|")
        assert len(await one.ghost(URI)) == 1


@pytest.mark.parametrize("profile", PROFILES)
async def test_typing_key_by_key_with_requests_and_cancellations_stays_in_sync(profile: str) -> None:
    """What is shown always goes on from what is typed: the fake model's suggestions are told by the text."""
    random_ = random.Random(profile)
    tune = "X:1\r\nK:D 𝄞\r\nDFA d2f|é\u2028gfe|\r\n" * 3
    async with editor(profile) as one:
        one.open(URI, "")
        pending: list[asyncio.Future[Any]] = []
        for number, character in enumerate(tune):
            end = len(one.texts[URI])
            one.edit(URI, end, end, character)
            if random_.random() < 0.2 and "\r\n" not in one.texts[URI][-5:]:
                one.edit(URI, max(0, end - 2), end, "zz")
            if random_.random() < 0.6:
                pending.append(one.ask(URI, f"key-{number}"))
                if random_.random() < 0.4:
                    one.client.cancel_request(types.CancelParams(f"key-{number}"))
            if random_.random() < 0.2:
                await asyncio.sleep(0)
            if random_.random() < 0.1:
                shown = await one.ghost_items(URI)
                assert_fits(one, shown)
        await asyncio.gather(*pending, return_exceptions=True)
        assert_fits(one, await one.ghost_items(URI, kind=INVOKED), 3)
        assert one.client.messages == []


def assert_fits(one: Editor, shown: list[types.InlineCompletionItem], count: int = 1) -> None:
    """The suggestions are those of the fake model for just this text, or the rest of one that is being typed."""
    text, texts = one.texts[URI], [str(item.insert_text) for item in shown]
    for length in range(12):
        before, typed = text[: len(text) - length], text[len(text) - length :]
        if [typed + rest for rest in texts] == [suggestion(before, len(before), n).text for n in range(count)]:
            break
    else:
        pytest.fail(f"{texts} goes on from no state of the text")
    assert all(item.range is not None and item.range.start == one.position(URI) for item in shown)


@pytest.mark.parametrize("scheme", ["tcp", "ws"])
async def test_two_clients_at_once_share_a_model_and_nothing_else(scheme: str) -> None:
    with listening(*FAKE_SERVER, f"--{scheme}") as port:
        async with remote_editor(port, "vscode", scheme=scheme) as first:
            async with remote_editor(port, "eglot", scheme=scheme) as second:
                assert (first.encoding.value, second.encoding.value) == ("utf-16", "utf-32")
                first.open(URI, "𝄞abc|")
                second.open(URI, "𝄞def|")
                answers = await asyncio.gather(first.ghost(URI), second.ghost(URI))
                assert answers[0] != answers[1]
                second.client.workspace_did_change_configuration(
                    types.DidChangeConfigurationParams({"trigger": "manual"})
                )
                second.edit(URI, 0, 0, "a")
                first.edit(URI, 0, 0, "a")
                assert await second.ghost(URI) == []
                assert len(await first.ghost(URI)) == 1
            first.edit(URI, 0, 0, "b")
            assert len(await first.ghost(URI)) == 1
        async with remote_editor(port, scheme=scheme) as third:
            third.open(URI, "ghi|")
            assert len(await third.ghost(URI)) == 1


@pytest.mark.parametrize("scheme", ["tcp", "ws"])
async def test_a_client_that_vanishes_leaves_the_others_alone(scheme: str) -> None:
    with listening(*FAKE_SERVER, f"--{scheme}") as port:
        async with remote_editor(port, scheme=scheme) as stays:
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"Content-Length: 1000\r\n\r\nhalf a mess")
            writer.close()
            stays.open(URI, "abc|")
            assert len(await stays.ghost(URI)) == 1


@pytest.mark.parametrize(
    ("origin", "is_let_in"),
    [
        pytest.param(None, True, id="no page at all"),
        pytest.param("http://localhost:8080", True, id="a page of this machine"),
        pytest.param("https://example.com", False, id="a page of another site"),
        pytest.param("http://localhost.example.com", False, id="a page that only sounds local"),
    ],
)
async def test_pages_of_other_sites_cannot_reach_a_websocket_server(origin: Any, is_let_in: bool) -> None:
    with listening(*FAKE_SERVER, "--ws") as port:
        try:
            async with connect(f"ws://127.0.0.1:{port}", origin=origin):
                found = True
        except InvalidStatus:
            found = False
        assert found is is_let_in
