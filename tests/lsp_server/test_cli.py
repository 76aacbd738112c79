"""The program's verbs, with real languages and, where a model is needed, a stand-in."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lsp_server import cli, models, program, transports
from lsp_server.models import ModelUnavailableError
from lsp_server.settings import Settings
from notation.language import language
from tests.support.fake_model import FakeCompleter

TUNE = "X:1\nT:Test\nM:4/4\nL:1/8\nK:D\nDFA2 d2fe|d2A2 "
HYMN = """<?xml version="1.0" encoding="UTF-8"?>
<score-partwise version="4.0">
  <part-list><score-part id="P1"><part-name>Voice</part-name></score-part></part-list>
  <part id="P1">
    <measure number="1">
      <attributes><divisions>1</divisions><time><beats>4</beats><beat-type>4</beat-type></time></attributes>
      <note><pitch><step>C</step><octave>4</octave></pitch><duration>4</duration><voice>1</voice><type>whole</type></note>
    </measure>
  </part>
</score-partwise>
"""


@pytest.fixture
def fake_model(monkeypatch: pytest.MonkeyPatch) -> FakeCompleter:
    completer = FakeCompleter()
    monkeypatch.setattr(models, "load", lambda choice: completer)
    return completer


def run(*arguments: object) -> Result:
    return CliRunner().invoke(program.app, [str(one) for one in arguments])


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("verb", ["", "serve", "complete", "check", "convert", "doctor"])
def test_help_reads_well(verb: str) -> None:
    result = run(*verb.split(), "--help")
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_help_imports_neither_the_protocol_nor_the_runtime() -> None:
    code = (
        "import sys, lsp_server.program; "
        "print([name for name in ('pygls', 'lsprotocol', 'numpy', 'onnxruntime', 'lxml', 'torch', 'rich') "
        "if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_the_server_imports_no_runtime_before_it_is_initialized() -> None:
    code = "import sys, lsp_server.transports; print([n for n in ('numpy', 'onnxruntime') if n in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


@pytest.mark.parametrize("arguments", [["serve"], ["serve", "--stdio"]])
def test_editors_do_not_wait_for_the_command_line_library(arguments: list[str]) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "lsp_server", *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, "the client went without saying exit"
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "lsp_server.transports" in imported
    assert not imported & {"typer", "rich", "numpy", "onnxruntime", "notation.score", "lxml"}


def test_complete_prints_one_json_object(tmp_path: Path, fake_model: FakeCompleter) -> None:
    file = write(tmp_path / "tune.abc", TUNE)
    result = run("complete", file, "--json", "--candidates", 2)
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert set(found) == {"language", "site", "suggestions", "model", "provider", "timing_ms"}
    assert found["language"] == "abc"
    assert set(found["site"]) == {"line", "column", "measure", "part", "voice", "remaining"}
    assert (found["site"]["line"], found["site"]["measure"], found["site"]["remaining"]) == (6, 2, "1/2")
    assert [set(one) for one in found["suggestions"]] == [{"text", "line", "column", "measures", "score"}] * 2
    assert {"parse", "total"} <= set(found["timing_ms"])


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        pytest.param(("--line", 6, "--column", 11), (6, 11), id="line and column"),
        pytest.param(("--line", 6), (6, 16), id="the end of a line"),
    ],
)
def test_complete_at_a_cursor(
    tmp_path: Path, fake_model: FakeCompleter, arguments: tuple[object, ...], place: tuple[int, int]
) -> None:
    file = write(tmp_path / "tune.abc", TUNE)
    found = json.loads(run("complete", file, "--json", *arguments).stdout)
    assert (found["site"]["line"], found["site"]["column"]) == place
    (suggestion,) = found["suggestions"]
    assert (suggestion["line"], suggestion["column"]) == place


@pytest.mark.parametrize(
    ("name", "text", "before"),
    [
        pytest.param("a.abc", TUNE + "\n\n", TUNE.rstrip(), id="blank lines at the end"),
        pytest.param("a.abc", TUNE + "|\nw: la la\n", TUNE + "|", id="lyrics at the end"),
        pytest.param(
            "a.musicxml", HYMN, HYMN[: HYMN.index("</measure>") + len("</measure>")], id="closing tags at the end"
        ),
    ],
)
def test_complete_finds_the_end_of_the_music(
    tmp_path: Path, fake_model: FakeCompleter, name: str, text: str, before: str
) -> None:
    found = json.loads(run("complete", write(tmp_path / name, text), "--json").stdout)
    lines = before.split("\n")
    assert (found["site"]["line"], found["site"]["column"]) == (len(lines), len(lines[-1]) + 1)


def test_complete_where_no_music_can_be_written(tmp_path: Path, fake_model: FakeCompleter) -> None:
    file = write(tmp_path / "tune.abc", TUNE)
    found = json.loads(run("complete", file, "--json", "--line", 2).stdout)
    assert (found["site"], found["suggestions"]) == (None, [])
    assert "No music can be written at line 2" in run("complete", file, "--line", 2).stdout


def test_complete_for_people_shows_the_place(tmp_path: Path, fake_model: FakeCompleter) -> None:
    result = run("complete", write(tmp_path / "tune.abc", TUNE))
    assert result.exit_code == 0
    assert "d2A2 ‸" in result.stdout or "d2A2‸" in result.stdout
    assert "fake candidate 0" in result.stdout
    assert " ms (" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("--column", 3), "--column needs --line", id="a column without a line"),
        pytest.param(("--line", 99), "--line is 99 but the file has 6 lines", id="no such line"),
        pytest.param(("--line", 6, "--column", 99), "--column is 99 but line 6 ends at column 16", id="no such column"),
        pytest.param(("--provider", "tpu"), "--provider is 'tpu'", id="no such provider"),
    ],
)
def test_complete_refuses_wrong_usage(
    tmp_path: Path, fake_model: FakeCompleter, arguments: tuple[object, ...], said: str
) -> None:
    result = run("complete", write(tmp_path / "tune.abc", TUNE), *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_complete_without_a_model_ends_with_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(choice: object) -> None:
        raise ModelUnavailableError("no model. Get one.")

    monkeypatch.setattr(models, "load", load)
    result = run("complete", write(tmp_path / "tune.abc", TUNE), "--json")
    assert (result.exit_code, result.stdout, result.stderr) == (3, "", "ghostnote: no model. Get one.\n")


def bomb() -> bytes:
    """A compressed score that unpacks to 200 MB."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("score.musicxml", b" " * 200_000_000)
    return buffer.getvalue()


ENTITIES = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;</a>'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a.abc", b"", id="empty abc"),
        pytest.param("a.musicxml", b"", id="empty musicxml"),
        pytest.param("a.abc", bytes(range(256)) * 20, id="binary abc"),
        pytest.param("a.musicxml", bytes(range(256)) * 20, id="binary musicxml"),
        pytest.param("a.abc", TUNE.encode("utf-16"), id="abc in UTF-16"),
        pytest.param("a.abc", TUNE.replace("Test", "é").encode("latin-1"), id="abc in Latin-1"),
        pytest.param("a.musicxml", HYMN[:300], id="truncated musicxml"),
        pytest.param("a.musicxml", ENTITIES, id="entities"),
        pytest.param("a.mxl", b"PK\x03\x04 no archive", id="a broken archive"),
        pytest.param("a.mxl", bomb(), id="a zip bomb"),
        pytest.param("a.abc", "C" * 10_000_001, id="too large"),
    ],
)
def test_check_and_complete_survive_bad_files(
    tmp_path: Path, fake_model: FakeCompleter, name: str, content: str | bytes
) -> None:
    file = write(tmp_path / name, content)
    for arguments in (("check", file, "--format", "json"), ("complete", file, "--json")):
        result = run(*arguments)
        assert result.exit_code in (0, 1), result.stderr
        assert not isinstance(result.exception, Exception)
        if result.stdout:
            json.loads(result.stdout)
        else:
            assert result.stderr.startswith("ghostnote: cannot read")


def test_check_reports_in_three_formats(tmp_path: Path) -> None:
    good = write(tmp_path / "good.musicxml", HYMN)
    bad = write(tmp_path / "bad.mxl", b"PK\x03\x04 no archive")
    text = run("check", good, bad)
    assert text.exit_code == 1
    assert f"{bad}:1:1: error: " in text.stdout
    assert "2 files, 1 errors" in text.stderr
    found = json.loads(run("check", good, bad, "--format", "json").stdout)
    assert [len(one["diagnostics"]) for one in found["files"]] == [0, 1]
    assert found["files"][1]["diagnostics"][0]["severity"] == "error"
    sarif = json.loads(run("check", good, bad, "--format", "sarif").stdout)
    (one_run,) = sarif["runs"]
    (result,) = one_run["results"]
    assert (sarif["version"], result["level"], result["ruleId"]) == ("2.1.0", "error", "unreadable")
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 1


def test_check_of_sound_files_ends_with_0(tmp_path: Path) -> None:
    assert run("check", write(tmp_path / "good.musicxml", HYMN)).exit_code == 0


@pytest.mark.parametrize("verb", ["check", "complete"])
def test_files_that_are_not_there_are_wrong_usage(verb: str, tmp_path: Path) -> None:
    assert run(verb, tmp_path / "none.abc").exit_code == 2
    result = run(verb, write(tmp_path / "a.txt", ""))
    assert result.exit_code == 2
    assert ".abc" in result.stderr


@pytest.mark.parametrize("suffix", [".abc", ".musicxml", ".mxl"])
def test_convert_keeps_the_notes(tmp_path: Path, suffix: str) -> None:
    source = write(tmp_path / "tune.abc", TUNE + "z4|\n")
    target, back = tmp_path / f"out{suffix}", tmp_path / "back.abc"
    assert run("convert", source, target).exit_code == 0
    assert run("convert", target, back).exit_code == 0
    notes = [
        [
            [event.notes for voice in measure.voices for event in voice.events]
            for measure in language("abc").parse(path.read_text()).scores[0].parts[0].measures
        ]
        for path in (source, back)
    ]
    assert notes[0] == notes[1]
    assert notes[0]


def test_convert_writes_midi_that_another_program_reads(tmp_path: Path) -> None:
    converter = pytest.importorskip("music21.converter")
    target = tmp_path / "out.mid"
    assert (
        run("convert", write(tmp_path / "a.abc", "X:1\nL:1/4\nM:4/4\nK:C\nC (3DEF G-|G c z2|\n"), target).exit_code == 0
    )
    notes = converter.parse(target).stripTies().flatten().notes  # music21 ties what crosses a barline
    assert [one.pitch.midi for one in notes] == [60, 62, 64, 65, 67, 72]


def test_convert_refuses_what_it_cannot_do(tmp_path: Path) -> None:
    two = write(tmp_path / "two.abc", "X:1\nK:C\nCDEF|\n\nX:2\nK:C\nGABc|\n")
    result = run("convert", two, tmp_path / "out.musicxml")
    assert (result.exit_code, "holds 2 tunes" in result.stderr) == (2, True)
    assert run("convert", two, tmp_path / "out.musicxml", "--tune", 2).exit_code == 0
    assert run("convert", two, tmp_path / "out.musicxml", "--tune", 3).exit_code == 2
    assert run("convert", two, tmp_path / "out.pdf").exit_code == 2
    result = run("convert", write(tmp_path / "a.mid", b"MThd"), tmp_path / "out.abc")
    assert (result.exit_code, "MIDI files can only be written" in result.stderr) == (2, True)


def test_doctor_says_what_is_wrong_with_a_model(tmp_path: Path) -> None:
    result = run("doctor", "--model", tmp_path / "nowhere", "--json")
    assert result.exit_code == 3
    found = json.loads(result.stdout)
    assert found["packages"]["onnxruntime"]
    assert "CPUExecutionProvider" in found["providers"]
    assert len(found["problems"]) == 1
    assert "nowhere" in found["problems"][0]
    assert "Problem: " in run("doctor", "--model", tmp_path / "nowhere").stdout


@pytest.mark.parametrize(
    ("address", "said"),
    [
        pytest.param("0.0.0.0:0", "--allow-remote", id="every address"),
        pytest.param("example.com:80", "--allow-remote", id="a name"),
        pytest.param("4711", "no HOST:PORT", id="a port alone"),
        pytest.param("127.0.0.1:99999", "no HOST:PORT", id="no such port"),
    ],
)
def test_serve_listens_on_this_machine_only(address: str, said: str) -> None:
    for option in ("--tcp", "--ws"):
        result = run("serve", option, address)
        assert result.exit_code == 2
        assert said in result.stderr


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        pytest.param([], Settings(), id="as editors call it"),
        pytest.param(["--threads", "1"], Settings(), id="with the usual settings"),
        pytest.param(["--threads", "2", "--provider", "cpu"], Settings(threads=2, provider="cpu"), id="with others"),
    ],
)
def test_serve_takes_settings(monkeypatch: pytest.MonkeyPatch, arguments: list[str], settings: Settings) -> None:
    houses: list[transports.House] = []
    monkeypatch.setattr(transports, "serve_stdio", lambda house: houses.append(house) or 7)
    monkeypatch.setattr(sys, "argv", ["ghostnote", "serve", *arguments])
    with pytest.raises(SystemExit) as exit:
        cli.main()
    assert exit.value.code == 7
    assert [house.settings for house in houses] == [settings]


def test_serve_takes_one_transport() -> None:
    assert run("serve", "--stdio", "--tcp", "127.0.0.1:0").exit_code == 2


def test_a_verb_of_a_part_that_is_not_installed_says_so() -> None:
    program._add_verb(EntryPoint("absent-verb", "no_such_package.cli:verb", program.GROUP))
    result = run("absent-verb", "--anything", "at", "all")
    assert result.exit_code == 2
    assert "pip install 'ghostnote[training]'" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["train", "--data", ".", "--out", "run"], id="train"),
        pytest.param(["evaluate", "--data", "."], id="evaluate"),
        pytest.param(["export", "model.pt", "bundle"], id="export"),
    ],
)
def test_a_verb_that_needs_torch_says_so_without_it(arguments: list[str]) -> None:
    code = "import sys; sys.modules['torch'] = None; from lsp_server.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'ghostnote[training]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_verb_from_elsewhere_reads_its_own_arguments() -> None:
    program._add_verb(EntryPoint("echo-verb", "tests.lsp_server.test_cli:echo_verb", program.GROUP))
    result = run("echo-verb", "--times", "2", "la")
    assert (result.exit_code, result.stdout) == (0, "la la\n")


def echo_verb(word: str, times: int = 1) -> None:
    """A verb of another package."""
    print(" ".join([word] * times))
