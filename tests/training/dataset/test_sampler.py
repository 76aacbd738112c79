"""Training windows say exactly the music, teach exactly what is to be decided, and are the same every time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notation.language import language
from notation.tokens import vocabulary as v
from notation.tokens.encode import after_ids, encode_score, header_ids, measure_ids
from training.dataset.layout import ends_section, lay_out_measure
from training.dataset.sampler import IGNORED, BatchDataset, Sampler, SamplerConfig
from training.dataset.tables import TableWriter

QUARTET = """X:1
M:4/4
L:1/4
V:1
V:2
V:3 clef=bass
K:G
[V:1]GABc|dBGB|GABc|dBGB|cAFA|G4|]
[V:2]G,2D2|G,2D2|G,2D2|B,2D2|A,2D2|G,4|]
[V:3]G,,4|D,,4|G,,4|D,,4|D,,4|[G,,D,]4|]
"""
JIG = "X:1\nM:6/8\nL:1/8\nR:jig\nK:Em\nA|dfa afd|gfe efg|dfa afd|gfe d2:||:e|c3 dec|dfa afd|c3 dec|gfe d2:|\n"
MODULATION = "X:1\nM:4/4\nL:1/4\nK:Ab\nCDEF|GABc|[K:E]CDEF|GABc|\n"
SHARES = {"folk": 1.0}
ALWAYS = {"transpose": 0.0, "drop_rhythm": 0.0, "drop_instruments": 0.0}


def tables_of(*texts, genre="folk"):
    writer = TableWriter()
    for text in texts:
        writer.add(encode_score(language("abc").parse(text).scores[0], genre), genre)
    return writer.tables()


def windows(text, room=400, n=60, **config):
    sampler = Sampler([tables_of(text)], SamplerConfig(SHARES, **config), block_size=room, batch_size=1)
    random = np.random.default_rng(0)
    return [sampler.window(tables_of(text), 0, room, random) for _ in range(n)]


def names(ids):
    return [v.TOKENS[token] for token in ids]


@pytest.fixture
def sampler(train_tables):
    return Sampler([train_tables], SamplerConfig({"folk": 0.5, "hymn": 0.5}), block_size=256, batch_size=6, seed=3)


# The layout


@pytest.mark.parametrize("last_part", [None, 0, 1, 2])
def test_a_measure_is_laid_out_as_the_encoder_does(last_part):
    tables = tables_of(QUARTET)
    for measure in tables.read_measures(0, 0, 10):
        laid = lay_out_measure(measure, 3, last_part=last_part)
        assert laid.ids == measure_ids(measure.encoded, 3, last_part)
        assert len(laid.ids) == len(laid.weights) == len(laid.ref_masks)


def test_real_music_is_laid_out_as_the_encoder_does(train_tables):
    for piece in range(len(train_tables.pieces)):
        n_parts = int(train_tables.pieces[piece]["n_parts"])
        for measure in train_tables.iterate_measures(piece, 0):
            assert lay_out_measure(measure, n_parts).ids == measure_ids(measure.encoded, n_parts)


def test_what_is_taught_in_a_new_measure():
    first = tables_of(QUARTET).read_measures(0, 0, 1)[0]
    laid = lay_out_measure(first, 3)
    fixed = [name for name, weight in zip(names(laid.ids), laid.weights, strict=True) if weight == 0]
    assert fixed == ["m:1", "part:0"]
    assert set(laid.weights) == {0, 1}


def test_a_repeat_is_taught_as_the_references_that_say_it():
    third = tables_of(QUARTET).read_measures(0, 2, 3)[0]
    laid = lay_out_measure(third, 3, repeat_weight=0.1)
    taught = {names([token])[0]: mask for token, mask in zip(laid.ids, laid.ref_masks, strict=True) if mask}
    assert set(taught.values()) == {0b10, 0b11}  # the alto's measure is also the one before
    inside = laid.ids.index(v.TOKEN_IDS["part:0"]) + 2
    assert laid.weights[inside] == 0.1
    assert laid.weights[inside - 1] == 1


@pytest.mark.parametrize("after_section", [False, True])
def test_a_new_section_is_a_decision(after_section):
    first = tables_of(QUARTET).read_measures(0, 0, 1)[0]
    assert lay_out_measure(first, 3, after_section=after_section).weights[0] == after_section


# Windows


@pytest.mark.parametrize("text", [JIG, QUARTET, MODULATION], ids=["jig", "quartet", "modulation"])
def test_a_plain_window_is_the_encoders_own_sequence(text):
    score = encode_score(language("abc").parse(text).scores[0], "folk")
    ends = score.measures[-1].barline != v.BARLINE_IDS["|"]
    expected = set()
    for start in range(len(score.measures)):
        ids = header_ids(score.preamble, score.measures[start])
        for measure in score.measures[start:]:
            ids += measure_ids(measure, score.n_parts)
        expected.add((*ids, v.EOS) if ends else tuple(ids))
    found = {tuple(window.ids) for window in windows(text, n=200, **_nothing())}
    assert found == expected


def _nothing():
    plain = SamplerConfig.plain(SHARES)
    return {name: getattr(plain, name) for name in SamplerConfig.__dataclass_fields__ if name != "shares"} | {
        "repeat_weight": 0.1
    }


def test_half_of_the_windows_begin_with_the_piece():
    starts = [names(window.ids).count("m:0") == 2 for window in windows(JIG, n=400, **_nothing())]
    assert 0.5 < np.mean(starts) < 0.65  # a tenth of the others begin there by chance


def test_a_window_is_cut_at_its_room():
    assert {len(window) for window in windows(QUARTET, room=40, n=30, **_nothing() | {"from_start": 1.0})} == {40}


def test_transposition_changes_the_keys_alone():
    plain = {tuple(window.ids) for window in windows(MODULATION, n=200, **_nothing())}
    shifted = windows(MODULATION, n=200, **_nothing() | {"transpose": 1.0})
    seen = set()
    for window in shifted:
        keys = [int(name[4:]) for name in names(window.ids) if name.startswith("key:")]
        seen.add(tuple(keys))
        assert all(abs(key) <= 6 for key in keys)
        assert len(keys) == 1 or keys[1] - keys[0] in (0, 8)  # the change itself, or a window that begins with it
        without = [token for token in window.ids if not v.TOKENS[token].startswith("key:")]
        assert without in [[token for token in ids if not v.TOKENS[token].startswith("key:")] for ids in plain]
    assert len({keys for keys in seen if len(keys) == 2 and keys[0] != keys[1]}) > 3


def test_an_infill_window_ends_with_its_gap_and_gives_what_follows():
    score = encode_score(language("abc").parse(JIG).scores[0], "folk")
    found = 0
    for window in windows(JIG, n=200, infill=1.0, **ALWAYS):
        if v.AFTER not in window.ids:
            continue  # the window begins too near the end to have a gap
        opened, closed = window.ids.index(v.AFTER), window.ids.index(v.BEFORE)
        assert not any(window.weights[: closed + 1])
        given, music = window.ids[opened : closed + 1], window.ids[closed + 1 :]
        ends = [
            end
            for end in range(1, len(score.measures))
            for n_after in (1, 2)
            if after_ids(score.measures[end : end + n_after], 0) == given
            and end + n_after <= len(score.measures)
            and music[-len(measure_ids(score.measures[end - 1], 1)) :] == measure_ids(score.measures[end - 1], 1)
        ]
        assert ends
        found += 1
    assert found > 100


def test_a_gap_in_a_quartet_is_in_the_part_that_comes_last():
    for window in windows(QUARTET, n=100, infill=1.0, part_last=0.0, **ALWAYS):
        if v.AFTER not in window.ids:
            continue
        music = names(window.ids[window.ids.index(v.BEFORE) + 1 :])
        orders = "".join(name[-1] for name in music if name.startswith("part:"))
        last = orders[2]
        assert orders == orders[:3] * (len(orders) // 3)
        block = window.ids[window.ids.index(v.AFTER) : window.ids.index(v.BEFORE) + 1]
        score = encode_score(language("abc").parse(QUARTET).scores[0], "folk")
        assert any(after_ids(score.measures[end : end + n], int(last)) == block for end in range(1, 6) for n in (1, 2))


def test_a_part_is_put_last_and_sometimes_left_alone():
    orders = set()
    for window in windows(QUARTET, n=200, infill=0.0, part_last=1.0, lone_part=0.5, from_start=1.0, **ALWAYS):
        header_end = names(window.ids).index("time:4/4")
        parts = "".join(name[-1] for name in names(window.ids)[header_end:] if name.startswith("part:"))
        orders.add(parts)
    for last in "012":
        order = "".join(part for part in "012" if part != last) + last
        assert {order * 6, last * 6, order * 4 + last * 2} <= orders
    assert len(orders) == 9


@pytest.mark.parametrize(("dropped", "family"), [("drop_rhythm", "rhythm"), ("drop_instruments", "inst")])
def test_the_header_can_be_silent(dropped, family, train_tables):
    both = {"drop_rhythm": 0.0, "drop_instruments": 0.0, dropped: 1.0}
    sampler = Sampler([train_tables], SamplerConfig({"folk": 1, "hymn": 1}, **both), block_size=256, batch_size=8)
    families = {v.family(name) for name in names(np.unique(sampler.batch(0).inputs))}
    assert family not in families


# Batches


def test_labels_are_the_inputs_one_place_later(sampler):
    for step in range(5):
        batch = sampler.batch(step)
        taught = batch.targets[:, :-1] != IGNORED
        np.testing.assert_array_equal(batch.targets[:, :-1][taught], batch.inputs[:, 1:][taught])
        np.testing.assert_array_equal(batch.targets != IGNORED, batch.weights > 0)
        assert not batch.weights[batch.ref_masks != 0].any() or (batch.weights[batch.ref_masks != 0] == 1).all()


def test_no_reference_is_ever_read(sampler):
    references = range(v.FIRST_REFERENCE, v.FIRST_REFERENCE + v.N_REFERENCES)
    for step in range(5):
        batch = sampler.batch(step)
        assert not np.isin(batch.inputs, references).any()
        assert not np.isin(batch.targets, references).any()
        assert (batch.ref_masks >= 0).all()
        assert (batch.ref_masks < 2**v.N_REFERENCES).all()


def test_padding_and_headers_are_not_taught(sampler):
    untaught = [v.PAD, v.BOS, *(v.TOKEN_IDS[f"genre:{name}"] for name in v.GENRES)]
    for step in range(5):
        assert not np.isin(sampler.batch(step).targets, untaught).any()


def test_a_sequence_ends_only_where_its_piece_does(sampler):
    enders = {v.BARLINE_IDS[name] for name in (":|", "||", "|]")}
    for step in range(5):
        batch = sampler.batch(step)
        before = batch.inputs[:, :-1][batch.inputs[:, 1:] == v.EOS]
        assert set(before.tolist()) <= enders


def test_little_is_padded(sampler):
    assert np.mean([np.mean(sampler.batch(step).inputs == v.PAD) for step in range(10)]) < 0.05


def test_a_batch_depends_on_seed_and_step_alone(train_tables, sampler):
    again = Sampler([train_tables], SamplerConfig({"folk": 0.5, "hymn": 0.5}), block_size=256, batch_size=6, seed=3)
    later = BatchDataset(again, 7)[2]
    for one, other in zip((sampler.batch(9).inputs, sampler.batch(9).weights), (later[0], later[3]), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(sampler.batch(8).inputs, sampler.batch(9).inputs)


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_genres_get_their_share_of_the_tokens(train_tables, share):
    config = SamplerConfig({"folk": share, "hymn": 1 - share})
    sampler = Sampler([train_tables], config, block_size=128, batch_size=40)
    rows = np.concatenate([sampler.batch(step).inputs[:, 1] for step in range(10)])
    assert np.mean(rows == v.TOKEN_IDS["genre:folk"]) == pytest.approx(share, abs=0.08)


def test_genres_without_pieces_leave_their_share_to_the_rest():
    sampler = Sampler([tables_of(JIG)], SamplerConfig(), block_size=64, batch_size=4)
    assert set(sampler.batch(0).inputs[:, 1]) == {v.TOKEN_IDS["genre:folk"]}


def test_nothing_to_draw_from_is_an_error():
    with pytest.raises(ValueError, match="change the shares, or add corpora"):
        Sampler([tables_of(JIG)], SamplerConfig({"hymn": 1.0}), block_size=64, batch_size=4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"shares": {"polka": 1.0}}, "unknown genre polka", id="genre"),
        pytest.param({"infill": 1.5}, r"infill is 1\.5", id="chance"),
    ],
)
def test_an_impossible_setting_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        SamplerConfig(**settings)


@given(room=st.integers(60, 300), seed=st.integers(0, 10**6), infill=st.booleans(), last=st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_window_is_sound(room, seed, infill, last):
    tables = tables_of(QUARTET)
    config = SamplerConfig(SHARES, infill=float(infill), part_last=float(last))
    sampler = Sampler([tables], config, block_size=room, batch_size=1)
    window = sampler.window(tables, 0, room, np.random.default_rng(seed))
    assert 0 < len(window) <= room
    assert len(window.ids) == len(window.weights) == len(window.ref_masks)
    assert window.ids[0] == v.BOS
    assert all(weight == 1 for weight, mask in zip(window.weights, window.ref_masks, strict=True) if mask)


def test_only_barlines_that_end_sections_do():
    measures = tables_of(JIG).read_measures(0, 0, 20)
    assert [index for index, measure in enumerate(measures) if ends_section(measure)] == [4, 9]


def test_a_header_longer_than_its_room_is_cut_before_its_key():
    voices = range(1, 39)
    text = "X:1\nM:4/4\nL:1/4\n" + "".join(f"V:{n} name=Violin\n" for n in voices) + "K:G\n"
    text += "".join(f"[V:{n}]GABc|dBGB|\n" for n in voices)
    for window in windows(text, room=36, n=20, transpose=1.0, infill=0.5, drop_instruments=0.0):
        assert len(window) == 36
        assert not any(window.weights)
