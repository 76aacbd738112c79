"""One sequence from stored measures: which tokens, and what the model is taught at each.

A token's `weight` says how much its prediction counts:

    0      given or fixed: header, `<after>` block, the first `part:` of a measure, `m:` after a plain barline
    low    inside a segment that is a repeat: the reference was the decision
    1      everything else

After a barline that ends a section, what follows (`m:0`, `m:1`, `<eos>`) is a decision and counts. Where a segment is a
repeat, its first token is taught as a set: any of the references that say it (`ref_mask`), not the token itself. No
reference is ever among the tokens: the text of a sequence is the same whether a repeat was typed or suggested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from notation.tokens import vocabulary
from notation.tokens.encode import Segment, segment_prefix
from notation.tokens.vocabulary import BARLINE_IDS, TOKEN_IDS
from training.dataset.tables import StoredMeasure

SECTION_ENDS = frozenset(token_id for name, token_id in BARLINE_IDS.items() if name != "|")
"""Barlines after which a section, or the piece, may end."""

_FIRST_PART = TOKEN_IDS["part:0"]
_PARTS = range(_FIRST_PART, _FIRST_PART + vocabulary.N_PARTS)


@dataclass(slots=True)
class TaughtSequence:
    """Tokens with what is taught at each; three lists of one length.

    Attributes:
        ids: token ids.
        weights: how much the prediction of each token counts.
        ref_masks: bit k - 1 set where `ref:k` is a right answer in place of the token; 0 where the token itself is.
    """

    ids: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    ref_masks: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)

    def extend(self, ids: Sequence[int], weight: float) -> None:
        """Append tokens that all count alike."""
        self.ids += ids
        self.weights += [weight] * len(ids)
        self.ref_masks += [0] * len(ids)

    def append(self, other: TaughtSequence) -> None:
        """Append another sequence."""
        self.ids += other.ids
        self.weights += other.weights
        self.ref_masks += other.ref_masks

    def cut(self, length: int) -> None:
        """Keep the first `length` tokens."""
        del self.ids[length:], self.weights[length:], self.ref_masks[length:]


def lay_out_measure(
    measure: StoredMeasure,
    n_parts: int,
    *,
    after_section: bool = False,
    last_part: int | None = None,
    only_part: int | None = None,
    repeat_weight: float = 0.1,
) -> TaughtSequence:
    """One measure, as `notation.tokens.encode.measure_ids` lays it out.

    Args:
        measure: the measure.
        n_parts: of the piece.
        after_section: whether a section ended just before, so that beginning another is a decision.
        last_part: the part to put last.
        only_part: leave all other parts out.
        repeat_weight: of the tokens inside a segment that is a repeat.
    """
    laid, encoded = TaughtSequence(), measure.encoded
    laid.extend(encoded.head[:1], float(after_section))
    laid.extend(encoded.head[1:], 1.0)
    previous: Segment | None = None
    for segment, ref_mask in _ordered(measure, last_part, only_part):
        prefix = segment_prefix(segment, previous, n_parts)
        if previous is None and prefix and prefix[0] in _PARTS:
            laid.extend(prefix[:1], 0.0)
            prefix = prefix[1:]
        laid.extend(prefix, 1.0)
        start = len(laid)
        laid.extend(segment.ids, repeat_weight if ref_mask else 1.0)
        if ref_mask:
            laid.weights[start] = 1.0
            laid.ref_masks[start] = ref_mask
        previous = segment
    if encoded.barline is not None:
        laid.extend([encoded.barline], 1.0)
    return laid


def _ordered(measure: StoredMeasure, last_part: int | None, only_part: int | None) -> list[tuple[Segment, int]]:
    pairs = list(zip(measure.encoded.segments, measure.ref_masks, strict=True))
    if only_part is not None:
        return [pair for pair in pairs if pair[0].part == only_part]
    if last_part is not None:
        pairs.sort(key=lambda pair: pair[0].part == last_part)
    return pairs


def ends_section(measure: StoredMeasure) -> bool:
    """Whether a section may end after a measure."""
    return measure.encoded.barline in SECTION_ENDS
