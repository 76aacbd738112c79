"""The registry of corpora, and what each reader makes of a small folder of its kind."""

import json
import pickle
import zipfile
from fractions import Fraction

import pytest

from notation.score import Part, Pitch, Score
from training.corpora import CORPORA, GENRES
from training.corpora.base import composer_key, title_key
from training.corpora.jsb_json import chorale_score
from training.corpora.nifc_chopin import work_of as chopin_work_of
from training.corpora.nifc_polish import work_of as polish_work_of
from training.corpora.scoring import genre_of, with_pianos

_ABC = "X:1\nT:The Old Reel\nM:2/4\nL:1/8\nK:G\nGABc|d4|]\n"
_KERN = "**kern\t**kern\n*clefF4\t*clefG2\n*M2/4\t*M2/4\n2C\t4c\n.\t4e\n==\t==\n*-\t*-\n"
_XML = (
    '<?xml version="1.0"?><score-partwise version="4.0"><work><work-title>Secret</work-title></work><part-list>'
    '<score-part id="P1"><part-name>A</part-name></score-part></part-list><part id="P1"><measure number="1">'
    "<attributes><divisions>1</divisions><time><beats>1</beats><beat-type>4</beat-type></time></attributes><note>"
    "<pitch><step>C</step><octave>4</octave></pitch><duration>1</duration><type>quarter</type></note></measure></part>"
    "</score-partwise>"
)
_LICENCE = "!!!YEM: License CC-BY-4.0 (https://creativecommons.org/licenses/by/4.0)\n"


def put(root, path, content):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    if path.endswith(".mxl"):
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("META-INF/container.xml", '<container><rootfiles><rootfile full-path="s.xml"/></rootfiles>'
                             "</container>")  # fmt: skip
            archive.writestr("s.xml", content)
    else:
        file.write_text(content, encoding="utf-8")


def read_all(name, root):
    corpus = CORPORA[name]
    reads = [corpus.read(root, path) for path in corpus.list_files(root)]
    return [p for read in reads for p in read.pieces], [s for read in reads for s in read.skipped]


_SAMPLES = {
    "music21_folk": ("corpus/ryansMammoth/OldReel.abc", _ABC),
    "music21": ("ryansMammoth/OldReel.abc", _ABC),
    "openhymnal": ("Complete/Old/Old-Tune.abc", _ABC.replace("K:", "C: copyright: public domain. \nK:")),
    "openewld": ("dataset/Somebody/Old_Song/Old_Song.mxl", _XML),
    "openscore_lieder": ("scores/Gounod,_Charles/6_Mélodies/3_Aubade/lc5079378.mxl", _XML),
    "openscore_quartets": ("scores/Beach,_Amy/String_Quartet,_Op._89/sq1.mxl", _XML),
    "openscore_orchestra": ("data/Beach,_Amy/Symphony,_Op.32/3/Beach_Op.32_3.mxl", _XML),
    "nifc_polish": ("pl-x/kern/pl-x--1--001-002_elsner-jozef--msza.krn", _KERN + _LICENCE),
    "nifc_chopin": ("kern/015-1a-BH-001.krn", _KERN),
    "jsb_json": ("Jsb16thSeparated.json", json.dumps({"test": [[[60, 55, 52, 48]] * 16]})),
    "folder": ("lied/mine.krn", _KERN),
}


def test_every_corpus_has_a_sample_here():
    assert set(_SAMPLES) == set(CORPORA)


@pytest.mark.parametrize("name", CORPORA)
def test_a_sample_is_read(name, tmp_path):
    put(tmp_path, *_SAMPLES[name])
    (piece,), skipped = read_all(name, tmp_path)
    assert not skipped
    assert piece.id.startswith(f"{name}/")
    assert piece.corpus == name
    assert piece.path == _SAMPLES[name][0]
    assert piece.genre in GENRES
    assert piece.work
    assert str(tmp_path) not in piece.id + piece.work
    assert next(CORPORA[name].pieces(tmp_path)) == piece


@pytest.mark.parametrize("name", CORPORA)
def test_the_registry_is_whole(name):
    corpus = CORPORA[name]
    assert corpus.name == name
    assert corpus.genre in GENRES
    assert corpus.licence
    assert pickle.loads(pickle.dumps(corpus)) == corpus


@pytest.mark.parametrize("name", CORPORA)
def test_an_empty_folder_is_said(name, tmp_path):
    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        CORPORA[name].list_files(tmp_path)


def test_only_what_is_free_is_for_release():
    assert sorted(name for name, corpus in CORPORA.items() if not corpus.release) == ["folder", "jsb_json", "music21"]


def test_files_without_a_licence_are_left_out(tmp_path):
    put(tmp_path, "p/kern/a.krn", _KERN)
    assert read_all("nifc_polish", tmp_path) == ([], [("p/kern/a.krn", "no licence line")])
    put(tmp_path, "Complete/a/a.abc", _ABC.replace("K:", "C: copyright: Words, public domain.\nK:"))
    assert read_all("openhymnal", tmp_path) == ([], [("Complete/a/a.abc", "not marked as public domain")])


def test_the_metadata_of_openewld_is_left_out(tmp_path):
    put(tmp_path, *_SAMPLES["openewld"])
    (piece,), _ = read_all("openewld", tmp_path)
    assert (piece.title, piece.composer, piece.score.title, piece.score.fields) == ("", "", "", ())
    assert "song" not in piece.id.lower()


def test_folders_of_other_books_are_left_out(tmp_path):
    put(tmp_path, *_SAMPLES["music21"])
    put(tmp_path, "essenFolksong/e.abc", _ABC)
    assert [path.name for path in CORPORA["music21"].list_files(tmp_path)] == ["OldReel.abc"]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        pytest.param("a.mxl", None, id="no archive"),
        pytest.param("a.krn", "hello", id="no kern"),
        pytest.param("a.abc", "", id="empty"),
        pytest.param("a.xml", "<html/>", id="no MusicXML"),
        pytest.param("a.abc", "X:1\nK:C\nz4|\n", id="no notes"),
    ],
)
def test_what_cannot_be_used_is_skipped_with_a_reason(path, content, tmp_path):
    (tmp_path / path).write_bytes(b"PK\x03\x04 damaged" if content is None else content.encode())
    pieces, skipped = read_all("folder", tmp_path)
    assert not pieces
    assert skipped
    assert all(reason for _, reason in skipped)


def test_several_tunes_of_a_file_have_ids_of_their_own(tmp_path):
    put(tmp_path, "a/tunes.abc", f"{_ABC}\n{_ABC.replace('X:1', 'X:2').replace('Old', 'New')}")
    pieces, _ = read_all("folder", tmp_path)
    assert [piece.id for piece in pieces] == ["folder/a/tunes.abc#1", "folder/a/tunes.abc#2"]
    assert len({piece.work for piece in pieces}) == 2


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("The Lass of Gowrie", "Lass of Gowrie, The", True, id="article"),
        pytest.param("Chevy Chase 1", "Chevy Chase (second setting)", True, id="setting"),
        pytest.param("Órla's Jig", "Orlas jig.", True, id="accents and points"),
        pytest.param("The Lass of Gowrie", "The Lass of Glenshee", False, id="another"),
        pytest.param("No. 3", "No. 4", True, id="numbers alone do not tell apart"),
    ],
)
def test_title_keys(one, other, same):
    assert (title_key(one) == title_key(other)) is same


@pytest.mark.parametrize(
    ("name", "key"),
    [
        pytest.param("Beach,_Amy", "beach amy", id="a folder"),
        pytest.param("Beach, Amy Marcy Cheney", "beach amy", id="more given names"),
        pytest.param("Amy Beach", "beach amy", id="given name first"),
        pytest.param("Hensel, Fanny (Mendelssohn)", "hensel fanny", id="a remark"),
        pytest.param("Pękiel, Bartłomiej", "pekiel bartlomiej", id="Polish letters"),
        pytest.param("Dvořák,_Antonín", "dvorak antonin", id="Czech letters"),
        pytest.param("Vogel", "vogel", id="one name"),
        pytest.param("Anonim", "", id="nobody knows"),
        pytest.param("Traditional", "", id="traditional"),
        pytest.param("", "", id="not said"),
    ],
)
def test_composer_keys(name, key):
    assert composer_key(name) == key


@pytest.mark.parametrize(
    ("corpus", "key"),
    [
        pytest.param("openscore_lieder", "gounod charles", id="a folder's name"),
        pytest.param("openscore_orchestra", "beach amy", id="a folder's name, orchestra"),
        pytest.param("nifc_polish", "elsner jozef", id="a reference record"),
        pytest.param("nifc_chopin", "chopin fryderyk", id="the collection"),
        pytest.param("openewld", "", id="metadata that is not free"),
        pytest.param("music21_folk", "", id="folk"),
        pytest.param("folder", "", id="a user's own"),
    ],
)
def test_the_composer_is_known_where_the_source_tells(corpus, key, tmp_path):
    path, content = _SAMPLES[corpus]
    put(tmp_path, path, f"!!!COM: Elsner, Józef\n{content}" if path.endswith(".krn") else content)
    (piece,), _ = read_all(corpus, tmp_path)
    assert piece.composer_key == key


@pytest.mark.parametrize(
    ("stem", "work"),
    [
        pytest.param("074-1-Sam-013", "chopin op. 74", id="one edition"),
        pytest.param("074-1c-LW-008", "chopin op. 74", id="another edition"),
        pytest.param("025_1-6-1d-BH-006", "chopin op. 25", id="part of an opus"),
        pytest.param("PolGm-1-CY", "PolGm-1-CY", id="without opus"),
    ],
)
def test_works_of_chopin(stem, work):
    assert chopin_work_of(stem) == work


@pytest.mark.parametrize(
    ("stem", "work"),
    [
        pytest.param("pl-a--77--001-006_x--agnus-dei", "pl-a--77--001", id="movement of a work"),
        pytest.param("pl-a--77--002_x--mazur", "pl-a--77--002", id="work without movements"),
        pytest.param("pl-a--r-2159_x--piesn", "pl-a--r-2159", id="source with one work"),
        pytest.param("ch-g--p85--001-001_chopin-fryderyk--second-concerto-op-21-i", "chopin op. 21", id="Chopin"),
    ],
)
def test_works_of_polish_sources(stem, work):
    assert polish_work_of(stem) == work


@pytest.mark.parametrize(
    ("instruments", "genre"),
    [
        pytest.param(["piano"], "keyboard", id="piano"),
        pytest.param(["organ"], "organ", id="organ"),
        pytest.param(["soprano", "piano"], "lied", id="song"),
        pytest.param(["soprano", "alto", "tenor", "bass-voice"], "choral", id="a cappella"),
        pytest.param(["soprano", "alto", "tenor", "bass-voice", "organ"], "choral", id="choir and organ"),
        pytest.param(["violin", "violin", "viola", "cello"], "quartet", id="string quartet"),
        pytest.param(["voice", "voice", "violin", "violin", "horn", "horn", "organ", "viola"], "orchestra", id="mass"),
        pytest.param(["piano", ""], "other", id="something unknown"),
        pytest.param(["flute"], "other", id="a flute alone"),
        pytest.param([], "other", id="nothing"),
    ],
)
def test_genres_by_scoring(instruments, genre):
    assert genre_of(instruments) == genre


@pytest.mark.parametrize(
    ("staves", "instrument", "expected"),
    [
        pytest.param(2, "", "piano", id="two staves without a name"),
        pytest.param(2, "organ", "organ", id="a name is kept"),
        pytest.param(1, "", "", id="one staff says nothing"),
    ],
)
def test_pianos_without_a_name(staves, instrument, expected):
    (part,) = with_pianos(Score((Part("P1", instrument=instrument, staves=staves),))).parts
    assert part.instrument == expected


def test_a_chorale_from_the_grid():
    frames = [[62, 57, 54, 50]] * 4 + [[61, 57, 52, 45]] * 8 + [[-1, 57, 54, 50]] * 8
    score = chorale_score(frames)
    soprano = score.parts[0].measures
    assert [part.instrument for part in score.parts] == ["soprano", "alto", "tenor", "bass-voice"]
    assert [(e.duration, [n.pitch for n in e.notes]) for m in soprano for e in m.voices[0].events] == [
        (Fraction(1, 4), [Pitch("D", 4)]),
        (Fraction(1, 2), [Pitch("C", 4, 1)]),
        (Fraction(1, 4), []),
        (Fraction(1, 4), []),
    ]
    assert {measure.key.fifths for measure in soprano} <= {2, 3}


def test_the_installed_package_is_found_without_importing_it():
    root = CORPORA["music21"].default_root()
    if root is None:
        pytest.skip("music21 is not installed: pip install music21")
    assert (root / "ryansMammoth").is_dir()
    path = next(path for path in CORPORA["music21"].list_files(root) if path.stem == "AcaciaReel")
    (piece,) = CORPORA["music21"].read(root, path).pieces
    assert (piece.genre, piece.work) == ("folk", "tune acacia reel")
