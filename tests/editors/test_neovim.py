"""The Neovim plugin in real Neovims, with the real server: Debian's (our ghost text) and 0.12 (its own)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editors.neovim import PLUGIN, Neovim, neovim
from tests.editors.programs import NEXT, Program, of_debian, of_next, server_command
from tests.editors.waiting import until, until_asked
from tests.support import judges

DEBIAN, NEWEST_OWN, NEWEST_NATIVE = "Debian's", "newest, own ghost text", "newest, native ghost text"
EVERY = [DEBIAN, NEWEST_OWN, NEWEST_NATIVE]
KEYS = {"<M-n>": "note", "<M-b>": "beat", "<M-m>": "measure", "<M-p>": "phrase"}


def program(version: str) -> Program:
    if version == DEBIAN:
        return of_debian("nvim", "neovim")
    return of_next("nvim", {"VIMRUNTIME": str(NEXT / "usr" / "share" / "nvim" / "runtime")})


def options(version: str, model: str, **settings: object) -> dict[str, object]:
    own = {"ghost": "own"} if version == NEWEST_OWN else {}
    return {"cmd": server_command(model), "settings": {"delayMs": 0, **settings}, **own}


@pytest.fixture(params=EVERY)
def nvim(request: pytest.FixtureRequest, tmp_path: Path, abc_file: Path, model: str) -> Iterator[Neovim]:
    with neovim(program(request.param), tmp_path, abc_file, options(request.param, model)) as one:
        one.wait_for_server()
        yield one


def test_the_next_measure_stands_there_and_tab_accepts_it(nvim: Neovim) -> None:
    before = nvim.text()
    nvim.keys("GA")
    ghost = nvim.wait_for_ghost()
    assert nvim.text() == before, "ghost text is not in the buffer"
    assert (ghost["row"], ghost["col"]) == (before.count("\n") - 1, len(before.splitlines()[-1]))
    nvim.keys("<Tab>")
    until(lambda: nvim.text() != before, "the accepted measure")
    after = nvim.text()
    assert after == before[:-1] + ghost["text"] + "\n"
    assert nvim.lua("return vim.api.nvim_win_get_cursor(0)") == [after.count("\n"), len(after.splitlines()[-1])]
    if all(judges.available()[name] for name in ("abcm2ps", "abc2midi", "abc2abc")):
        assert judges.judge_abc(after, before, ("abcm2ps", "abc2midi", "abc2abc")) == []
    nvim.keys("<C-\\><C-n>u")
    until(lambda: nvim.text() == before, "the measure undone in one step")


def test_typing_through_a_suggestion_keeps_its_rest(nvim: Neovim) -> None:
    nvim.keys("GA")
    whole = nvim.wait_for_ghost()["text"]
    nvim.keys(whole[:2].replace("<", "<lt>"))
    until(lambda: (nvim.ghost() or {}).get("text") == whole[2:], f"the rest {whole[2:]!r}")


def test_escape_takes_the_suggestion_away(nvim: Neovim) -> None:
    before = nvim.text()
    nvim.keys("GA")
    nvim.wait_for_ghost()
    nvim.keys("<Esc>")
    until(lambda: nvim.ghost() is None, "no ghost text")
    assert nvim.text() == before


def test_tab_without_a_suggestion_is_a_tab(nvim: Neovim) -> None:
    nvim.keys("ggO%<Tab>x")  # nothing is suggested in a comment
    until(lambda: nvim.text().startswith("%\tx\n"), "the tab")
    assert nvim.ghost() is None


def test_dismissing(nvim: Neovim) -> None:
    before = nvim.text()
    nvim.keys("GA")
    nvim.wait_for_ghost()
    nvim.keys("<C-]>")
    until(lambda: nvim.ghost() is None, "no ghost text")
    assert nvim.text() == before


def test_the_candidates_are_turned_over(nvim: Neovim) -> None:
    before = nvim.text()
    nvim.keys("GA")
    first = nvim.wait_for_ghost()["text"]
    nvim.keys("<M-.>")
    until(lambda: (nvim.ghost() or {"text": first})["text"] != first, "another candidate")
    second = nvim.ghost()
    assert second is not None
    nvim.keys("<M-,>")
    until(lambda: (nvim.ghost() or {}).get("text") == first, "the first candidate")
    nvim.keys("<M-.>")
    until(lambda: (nvim.ghost() or {}).get("text") == second["text"], "the second candidate")
    nvim.keys("<Tab>")
    until(lambda: nvim.text() == before[:-1] + second["text"] + "\n", "the second candidate in the text")


@pytest.mark.parametrize(
    ("version", "keys", "unit"),
    [
        *((version, key, unit) for version in EVERY for key, unit in KEYS.items()),
        *((DEBIAN, f"<Cmd>Ghostnote accept-{unit}<CR>", unit) for unit in KEYS.values()),
    ],
)
def test_part_by_part(version: str, keys: str, unit: str, tmp_path: Path, abc_file: Path, model: str) -> None:
    with neovim(program(version), tmp_path, abc_file, options(version, model, measures=2)) as nvim:
        nvim.wait_for_server()
        before = nvim.text()
        nvim.keys("GA")
        whole = nvim.wait_for_ghost()["text"]
        part = nvim.lua(f"return require('ghostnote.parts').first({json.dumps(whole)}, '{unit}', 'abc')")
        assert (part == whole) == (unit == "phrase"), "two measures are one phrase, and more than a measure"
        nvim.keys(keys)
        until(lambda: nvim.text() == before[:-1] + part + "\n", f"{part!r} in the text")
        rest = whole.removeprefix(part)
        until(lambda: (nvim.ghost() or {"text": ""})["text"].startswith(rest), f"the rest {rest!r}")
        nvim.keys("<Tab>")
        until(lambda: nvim.text().startswith(before[:-1] + whole), "all of it")


@pytest.mark.parametrize("version", EVERY)
def test_musicxml_of_many_lines(version: str, tmp_path: Path, xml_file: Path, model: str) -> None:
    with neovim(program(version), tmp_path, xml_file, options(version, model)) as nvim:
        nvim.wait_for_server()
        assert nvim.lua("return vim.bo.filetype") == "musicxml"
        before = nvim.text()
        row = before[: before.rindex("</measure>")].count("\n") + 1
        nvim.keys(f"{row}GA")
        ghost = nvim.wait_for_ghost()
        assert ghost["text"].lstrip().startswith("<measure")
        assert ghost["text"].count("\n") > 3
        nvim.keys("<Tab>")
        end = before.rindex("</measure>") + len("</measure>")
        until(lambda: nvim.text() == before[:end] + ghost["text"] + before[end:], "the measure's lines")


@pytest.mark.parametrize("version", [DEBIAN, NEWEST_NATIVE])
def test_ghost_text_before_the_rest_of_a_line_and_wide_characters(version: str, tmp_path: Path, model: str) -> None:
    file = tmp_path / "tune.abc"
    line = '"Ré 𝄞"D2 F2 A2 d2 | '
    file.write_text(f"X:1\nT:Ré\nM:4/4\nL:1/8\nK:D\n{line}| A8 |]\n", encoding="utf-8")
    with neovim(program(version), tmp_path, file, options(version, model)) as nvim:
        nvim.wait_for_server()
        nvim.keys("Gi")
        nvim.lua(f"vim.api.nvim_win_set_cursor(0, {{ 6, {len(line.encode())} }})")
        ghost = until(
            lambda: found if (found := nvim.ghost()) and found["col"] == len(line.encode()) else None, "ghost"
        )
        assert ghost is not None
        nvim.keys("<Tab>")
        until(lambda: f"{line}{ghost['text']}| A8 |]" in nvim.text(), "the measure in the middle of the line")


def test_the_completion_menu_has_the_measures_too(nvim: Neovim) -> None:
    before = nvim.text()
    nvim.keys("GA ")
    until_asked(lambda: nvim.keys("<C-x><C-o>"), lambda: nvim.lua("return vim.fn.pumvisible()"), "the menu")
    words = nvim.lua("return vim.fn.complete_info({'items'}).items")
    assert len(words) >= 3
    assert nvim.lua("return vim.fn.pumvisible()") == 1
    nvim.keys("<C-n><C-y>")
    until(lambda: len(nvim.text()) > len(before) + 3, "the entry in the text")


def test_the_menu_of_neovims_own_completion(tmp_path: Path, abc_file: Path, model: str) -> None:
    with neovim(program(NEWEST_NATIVE), tmp_path, abc_file, options(NEWEST_NATIVE, model)) as nvim:
        nvim.wait_for_server()
        before = nvim.text()
        nvim.lua("vim.lsp.completion.enable(true, require('ghostnote.client').of(0).id, 0)")
        nvim.keys("GA ")
        until(lambda: nvim.text().endswith(" \n"), "the space")
        get = "vim.lsp.completion.get()"
        until_asked(lambda: nvim.lua(get), lambda: nvim.lua("return vim.fn.pumvisible()"), "the menu")
        nvim.keys("<C-n><C-y>")
        until(lambda: len(nvim.text()) > len(before) + 3, "the entry in the text")


def test_settings_and_commands(nvim: Neovim) -> None:
    nvim.keys(":Ghostnote set measures=3<CR>")
    nvim.keys("GA")
    assert nvim.wait_for_ghost()["text"].count("|") >= 2
    nvim.keys("<Esc>:Ghostnote disable<CR>")
    assert nvim.lua("return require('ghostnote').status()") == "ghostnote off"
    nvim.keys("GA ")
    nvim.lua("vim.wait(600)")
    assert nvim.ghost() is None
    nvim.keys("<Esc>:Ghostnote enable<CR>A ")
    nvim.wait_for_ghost()
    nvim.keys("<Esc>:Ghostnote bogus<CR>")
    until(lambda: "no :Ghostnote bogus" in "".join(nvim.lua("return Notified")), "the message")
    assert "suggest" in nvim.lua("return vim.fn.getcompletion('Ghostnote su', 'cmdline')")


def test_a_crashed_server_is_reported_and_restarted(nvim: Neovim) -> None:
    pid = str(nvim.lua("return vim.fn.getpid()"))
    children = subprocess.run(["ps", "--ppid", pid, "-o", "pid="], capture_output=True, text=True, check=True)
    subprocess.run(["kill", "-9", *children.stdout.split()], check=True)
    until(lambda: "ended" in "".join(nvim.lua("return Notified")), "the message")
    nvim.keys(":Ghostnote restart<CR>")
    nvim.wait_for_server()
    nvim.keys("GA")
    nvim.wait_for_ghost()


@pytest.mark.parametrize("version", [DEBIAN, NEWEST_NATIVE])
def test_a_missing_server_is_said_once_with_the_way_out(version: str, tmp_path: Path, abc_file: Path) -> None:
    with neovim(program(version), tmp_path, abc_file, {"cmd": ["no-such-ghostnote", "serve"]}) as nvim:
        nvim.keys(":edit<CR>")
        (message,) = until(lambda: nvim.lua("return Notified"), "the message")
        assert "no-such-ghostnote" in message
        assert "Install Ghostnote" in message


def test_checkhealth_and_help(nvim: Neovim) -> None:
    nvim.keys(":checkhealth ghostnote<CR>")
    report = until(lambda: text if "ghostnote" in (text := nvim.text()) else "", "the report")
    assert "suggestions" in report
    assert "the server runs" in report
    assert "ERROR" not in report


def test_every_topic_of_the_help_is_found(tmp_path: Path, abc_file: Path, model: str) -> None:
    with neovim(program(DEBIAN), tmp_path, abc_file, options(DEBIAN, model)) as nvim:
        doc = tmp_path / "help" / "doc"
        doc.mkdir(parents=True)
        (doc / "ghostnote.txt").write_text(
            (PLUGIN / "doc" / "ghostnote.txt").read_text(encoding="utf-8"), encoding="utf-8"
        )
        nvim.lua(f"vim.opt.rtp:append('{doc.parent}') vim.cmd('helptags {doc}')")
        tags = [line.split("\t")[0] for line in (doc / "tags").read_text(encoding="utf-8").splitlines()]
        assert {"ghostnote", ":Ghostnote", "ghostnote-keys", "ghostnote-options"} <= set(tags)
        nvim.keys(":help ghostnote-keys<CR>")
        page = until(lambda: text if "KEYS" in (text := nvim.text()) else "", "the page")
        for keys in nvim.lua("return vim.tbl_values(require('ghostnote.config').get().keys)"):
            assert f"  {keys} " in page
        for command in nvim.lua("return require('ghostnote.commands').complete('', 'Ghostnote ')"):
            assert f":Ghostnote {command} " in page


@pytest.mark.parametrize("version", [DEBIAN, NEWEST_NATIVE])
def test_the_parts_of_a_suggestion(version: str, tmp_path: Path, abc_file: Path, model: str) -> None:
    cases = [
        ("abc", "measure", "cAc edc |BGG DGG |", "cAc edc |"),
        ("abc", "measure", " |cAc edc:|BGG", " |cAc edc:|"),
        ("abc", "measure", '"A|m"c3 d3|]', '"A|m"c3 d3|]'),
        ("abc", "measure", "|1 cAc|2 d3|", "|1 cAc|2"),
        ("abc", "note", "| ^c'3/2-c2", "| ^c'3/2-"),
        ("abc", "beat", ' cA"G"c edc |', ' cA"G"c'),
        ("abc", "beat", "edc|BGG", "edc"),
        ("abc", "beat", " |", " |"),
        ("abc", "phrase", "a6|b6|c6|d6|e6|", "a6|b6|c6|d6|"),
        ("abc", "phrase", "a6|b6:|c6|", "a6|b6:|"),
        ("abc", "phrase", "a6|b6", "a6|"),
        ("abc", "note", '"Am"{b}[Ace]2 d2', '"Am"{b}[Ace]2'),
        ("musicxml", "note", "<measure><note/><note>x</note><note>", "<measure><note/><note>x</note>"),
        ("musicxml", "beat", "<note><rest/></note><note>", "<note><rest/></note>"),
        ("musicxml", "phrase", "<measure>a<repeat/></measure><measure>", "<measure>a<repeat/></measure>"),
        ("musicxml", "measure", "<measure>a</measure><measure>", "<measure>a</measure>"),
        ("musicxml", "measure", "</measure", "</measure"),
    ]
    with neovim(program(version), tmp_path, abc_file, options(version, model)) as nvim:
        for filetype, unit, text, first in cases:
            code = f"return require('ghostnote.parts').first([==[{text}]==], '{unit}', '{filetype}')"
            assert nvim.lua(code) == first, text
