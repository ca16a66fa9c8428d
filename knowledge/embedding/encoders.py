"""The two ways to run a model: onnxruntime on the int8 export (default), or torch in full precision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.embedding.pooling import (
    Embedded,
    EmbeddingInput,
    Floats,
    Tokens,
    pool_weights,
    quantised_words,
    tokens_of,
    unit,
)
from knowledge.embedding.profiles import EmbeddingProfile
from knowledge.embedding.reading import reader_for

MAX_BATCH = 16
MAX_BATCH_TOKENS = 2048  # bounds memory; beyond it a larger batch brings no speed on two cores


class Encoder(Protocol):
    """What the rest of the product sees of an embedding model. Safe to share between threads."""

    profile: EmbeddingProfile

    def embed(self, inputs: Sequence[EmbeddingInput]) -> list[Embedded]: ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]: ...


class _TokenisingEncoder:
    """Tokenises, batches by length so that little is padded, and pools; subclasses run the network."""

    def __init__(self, profile: EmbeddingProfile) -> None:
        self.profile = profile
        self._reader = reader_for(profile)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without the two special ones that an input has."""
        encodings = self._reader.tokeniser.encode_batch(list(texts), add_special_tokens=False)
        return [len(encoding.ids) for encoding in encodings]

    def embed(self, inputs: Sequence[EmbeddingInput]) -> list[Embedded]:
        tokenised = self.tokenise(inputs)
        results: dict[int, Embedded] = {}
        for indexes in batches([len(tokens.ids) for tokens in tokenised]):
            means = self._means([tokenised[index] for index in indexes])
            for row, index in enumerate(indexes):
                results[index] = self._embedded(means[row, : len(tokenised[index].pools)])
        return [results[index] for index in range(len(inputs))]

    def tokenise(self, inputs: Sequence[EmbeddingInput]) -> list[Tokens]:
        encodings = self._reader.tokeniser.encode_batch([item.text for item in inputs])
        return [
            tokens_of(encoding.ids, encoding.offsets, item.words, limit=self.profile.max_tokens)
            for encoding, item in zip(encodings, inputs, strict=True)
        ]

    def _embedded(self, means: Floats) -> Embedded:
        return Embedded(vector=unit(means[0]), words=quantised_words(means[1:], self.profile.id))

    def feed(self, batch: Sequence[Tokens]) -> dict[str, NDArray[Any]]:
        """The network's three inputs, by name and in order."""
        ids, mask = padded(batch)
        return {
            self._reader.input_name: self._reader.network_input(ids),
            "attention_mask": mask,
            "pool": pool_weights(batch, width=ids.shape[1]),
        }

    def _means(self, batch: Sequence[Tokens]) -> Floats:
        raise NotImplementedError


class OnnxEncoder(_TokenisingEncoder):
    def __init__(self, profile: EmbeddingProfile, path: Path, *, threads: int = 1) -> None:
        import onnxruntime

        super().__init__(profile)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Idle threads would spin on the two cores that the web server and the database need as well.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def _means(self, batch: Sequence[Tokens]) -> Floats:
        means: Floats = self._session.run(None, self.feed(batch))[0]
        return means


class TorchEncoder(_TokenisingEncoder):
    """The packaged model in fp32: slower, and without an export."""

    def __init__(self, profile: EmbeddingProfile) -> None:
        import torch

        from knowledge.embedding.graph import pooled_encoder

        super().__init__(profile)
        torch.set_num_threads(1)
        self._model = pooled_encoder(profile)

    def _means(self, batch: Sequence[Tokens]) -> Floats:
        import torch

        with torch.inference_mode():
            means: Floats = self._model(*map(torch.from_numpy, self.feed(batch).values())).numpy()
        return means


def padded(batch: Sequence[Tokens]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token ids and attention mask, each (batch, longest)."""
    width = max(len(tokens.ids) for tokens in batch)
    ids = np.zeros((len(batch), width), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, tokens in enumerate(batch):
        ids[row, : len(tokens.ids)] = tokens.ids
        mask[row, : len(tokens.ids)] = 1
    return ids, mask


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Indexes grouped by similar length, each group within MAX_BATCH texts and MAX_BATCH_TOKENS padded
    tokens.
    """
    group: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if group and (len(group) == MAX_BATCH or (len(group) + 1) * lengths[index] > MAX_BATCH_TOKENS):
            yield group
            group = []
        group.append(index)
    if group:
        yield group
