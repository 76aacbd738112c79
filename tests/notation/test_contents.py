"""Titles are found without parsing, and are those that parsing finds."""

import pytest

from notation.contents import Entry
from notation.language import language

ABC = (
    "%abc-2.1\nX:1\nT:The Kesh\nT:Also: Kerrigan's\nC:trad. % unsure\nK:G\nGAB|\n\nX:2\nK:D\nabc|\n\nX:3\nT:Reel\nK:C\n"
)
XML = """<?xml version="1.0"?>
<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" "partwise.dtd">
<score-partwise version="4.0">
  <work><work-title>Lieder</work-title></work>{movement}
  <identification><creator type="lyricist">Rellstab</creator><creator type='composer'>Franz
    Schubert</creator></identification>
"""


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_tunes_of_a_book(end):
    assert language("abc").contents(ABC.replace("\n", end)) == [
        Entry("The Kesh", "trad.", 1),
        Entry("", "", 8),
        Entry("Reel", "", 12),
    ]


@pytest.mark.parametrize(
    ("movement", "title"),
    [("", "Lieder"), ("<movement-title>St&#228;ndchen &amp; more</movement-title>", "Ständchen & more")],
    ids=["work", "movement"],
)
def test_a_score_is_called_as_its_movement(movement, title):
    assert language("musicxml").contents(XML.format(movement=movement)) == [Entry(title, "Franz Schubert", 2)]


@pytest.mark.parametrize("text", ["", "<html><title>x</title>", "T:no tune", "<score-partwise"], ids=repr)
@pytest.mark.parametrize("name", ["abc", "musicxml"])
def test_any_text_has_contents(name, text):
    assert len(language(name).contents(text)) == (name == "musicxml" and text == "<score-partwise")


def test_titles_are_those_of_the_scores():
    read = language("abc")
    assert [entry.title for entry in read.contents(ABC)] == [score.title for score in read.parse(ABC).scores]
