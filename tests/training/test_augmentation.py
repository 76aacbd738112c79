"""Doubled and halved rhythms say the same music in other note values, and nothing that the grammar refuses."""

from fractions import Fraction

import pytest

from notation.language import language
from notation.tokens import vocabulary as v
from notation.tokens.encode import encode_score
from training.dataset.augmentation import UnscalableError, scale_measure
from training.dataset.restore import restore_score
from training.dataset.sampler import Sampler, SamplerConfig
from training.dataset.tables import Tables, TableWriter


def tables_of(music: str) -> Tables:
    writer = TableWriter()
    writer.add(encode_score(language("abc").parse(f"X:1\nL:1/8\n{music}\n").scores[0], "folk"), "folk")
    return writer.tables()


def measures_of(music: str):
    return tables_of(music).read_measures(0, 0, 100)


@pytest.mark.parametrize(
    ("music", "factor", "expected"),
    [
        pytest.param("M:4/4\nK:C\nCDEF GABc|", 2, "M:4/2\nK:C\nC2D2E2F2 G2A2B2c2|", id="eighths need a duration now"),
        pytest.param("M:2/2\nK:C\nC2D2E2F2|", Fraction(1, 2), "M:2/4\nK:C\nCDEF|", id="quarters need none any more"),
        pytest.param("M:3/4\nK:C\n{dc}B2 A>G F2|", 2, "M:3/2\nK:C\n{dc}B4 A3G F4|", id="grace notes last nothing"),
        pytest.param("M:2/4\nK:C\n(3CDE F2|", 2, "M:2/2\nK:C\n(3C2D2E2 F4|", id="a triplet"),
        pytest.param('M:6/8\nK:G\n"G"B3- B2c|z6|', 2, 'M:6/4\nK:G\n"G"B6- B4c2|z12|', id="ties, chords, rests"),
        pytest.param("M:4/4\nK:C\nG2|CDEF GABc|", 2, "M:4/2\nK:C\nG4|C2D2E2F2 G2A2B2c2|", id="a pickup"),
        pytest.param("M:4/4\nK:C\nC8|[M:3/4]C6|", 2, "M:4/2\nK:C\nC16|[M:3/2]C12|", id="a change of metre"),
    ],
)
def test_a_scaled_measure_is_what_the_encoder_makes_of_the_scaled_music(music, factor, expected):
    scaled = [scale_measure(measure, Fraction(factor)).encoded for measure in measures_of(music)]
    for ours, wanted in zip(scaled, (measure.encoded for measure in measures_of(expected)), strict=True):
        assert ours == wanted


@pytest.mark.parametrize(
    ("music", "factor"),
    [
        pytest.param("M:3/16\nK:C\nC3/2|", Fraction(1, 2), id="no such metre"),
        pytest.param("M:4/4\nK:C\nC/16D/16E15/8 z6|", Fraction(1, 2), id="no such note"),
    ],
)
def test_what_has_no_token_is_refused(music, factor):
    with pytest.raises(UnscalableError):
        [scale_measure(measure, factor) for measure in measures_of(music)]


@pytest.mark.parametrize("factor", [Fraction(2), Fraction(1, 2)], ids=["doubled", "halved"])
def test_scaling_back_gives_real_music_again(train_tables, factor):
    n_scaled = 0
    for piece in range(len(train_tables.pieces)):
        for measure in train_tables.iterate_measures(piece, 0):
            try:
                scaled = scale_measure(measure, factor)
            except UnscalableError:
                continue
            assert scale_measure(scaled, 1 / factor) == measure
            n_scaled += 1
    assert n_scaled > 500


def test_windows_are_scaled_whole_or_not_at_all():
    tables = tables_of("M:4/4\nK:C\nCDEF GABc|c2B2 A2G2|[M:2/4]C4|]")
    config = SamplerConfig({"folk": 1.0}, scale_rhythm=1.0, transpose=0.0, infill=0.0)
    sampler = Sampler([tables], config, block_size=100, batch_size=40)
    times = {
        tuple(v.TOKENS[token] for token in row if v.TOKENS[token].startswith("time:"))[:2]
        for row in sampler.batch(0).inputs.tolist()
    }
    assert {("time:4/2", "time:2/2"), ("time:4/8", "time:2/8")} <= times
    assert all(metre.split("/")[1] != "4" for metres in times for metre in metres)


def test_a_transposed_tune_is_spelled_right():
    """The same tokens are the same degrees: the leading note of F minor is E, its lowered second is G flat."""
    tables = tables_of("M:4/4\nK:Em\nE2 ^D2 E2 =F2|")
    tables.measures["key"] -= 5  # from one sharp to four flats, as the sampler moves a `key:`
    events = restore_score(tables, 0).parts[0].measures[0].voices[0].events
    pitches = [(note.pitch.step, note.pitch.alter) for event in events for note in event.notes]
    assert pitches == [("F", 0), ("E", 0), ("F", 0), ("G", -1)]
