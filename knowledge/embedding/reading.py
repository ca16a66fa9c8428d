"""From texts to what a network reads: tokens with their places, and the first input made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from knowledge.embedding.packed import read_packed
from knowledge.embedding.pooling import Span
from knowledge.embedding.profiles import EmbeddingProfile
from knowledge.embedding.unigram import Unigram
from knowledge.embedding.weights import weights_path


class Encoded(Protocol):
    """`offsets` are the characters of each token in the text, (0, 0) for special ones."""

    @property
    def ids(self) -> list[int]: ...
    @property
    def offsets(self) -> list[Span]: ...


class Tokenising(Protocol):
    def encode_batch(
        self, texts: Sequence[str], /, *, add_special_tokens: bool = True
    ) -> Sequence[Encoded]: ...


@dataclass(frozen=True, slots=True)
class Reader:
    """`input_name` is the network's first input; `table` looks its rows up where it takes no ids."""

    tokeniser: Tokenising
    input_name: str
    table: Any = None

    def network_input(self, ids: NDArray[np.int64]) -> NDArray[Any]:
        return ids if self.table is None else self.table(ids)


def reader_for(profile: EmbeddingProfile) -> Reader:
    path = weights_path(profile)
    if profile.form == "packed":
        packed = read_packed(path)
        unigram = Unigram(packed.pieces, bos=packed.bos, eos=packed.eos, unknown=packed.unknown)
        packed.pieces.clear()  # the tokeniser has its own
        width = packed.shape.hidden
        return Reader(unigram, "inputs_embeds", lambda ids: packed.rows("emb.word", ids, width=width))
    tokenizer = Tokenizer.from_file(str(path.with_name("tokenizer.json")))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return Reader(tokenizer, "input_ids")
