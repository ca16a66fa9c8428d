"""The torch module that is exported. Apart, because importing it loads torch."""

from __future__ import annotations

import torch


class PooledEncoder(torch.nn.Module):
    """A transformer followed by weighted means over its token embeddings, shape (batch, pools, dimension)."""

    def __init__(self, transformer: torch.nn.Module) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, pool: torch.Tensor
    ) -> torch.Tensor:
        tokens = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return torch.bmm(pool, tokens)
