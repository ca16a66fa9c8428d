"""The networks as torch modules: to be exported, or run as they are. Apart, because importing this loads torch."""

from __future__ import annotations

from typing import cast

import torch

from knowledge.embedding.packed import Packed, read_packed
from knowledge.embedding.profiles import EmbeddingProfile
from knowledge.embedding.weights import checked_weights

# Our names of BERT's parts -> the names in the packed file.
_LINEAR = {
    "attention.self.query": "q", "attention.self.key": "k", "attention.self.value": "v",
    "attention.output.dense": "ao", "intermediate.dense": "fi", "output.dense": "fo",
}  # fmt: skip
_NORMS = {"attention.output.LayerNorm": "aln", "output.LayerNorm": "oln"}


class PooledEncoder(torch.nn.Module):
    """A transformer followed by weighted means over its token embeddings, shape (batch, pools, dimension)."""

    def __init__(self, transformer: torch.nn.Module, *, reads: str) -> None:
        super().__init__()
        self.transformer = transformer
        self.reads = reads

    def forward(
        self, network_input: torch.Tensor, attention_mask: torch.Tensor, pool: torch.Tensor
    ) -> torch.Tensor:
        read = {self.reads: network_input, "attention_mask": attention_mask}
        return torch.bmm(pool, self.transformer(**read).last_hidden_state)


def pooled_encoder(profile: EmbeddingProfile) -> PooledEncoder:
    """The profile's network in full precision, ready to be asked."""
    path = checked_weights(profile)
    if profile.form == "packed":
        return PooledEncoder(_bert(read_packed(path)), reads="inputs_embeds").eval()
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(
        str(path.parent), device="cpu", local_files_only=True, model_kwargs={"attn_implementation": "eager"}
    )
    return PooledEncoder(cast("torch.nn.Module", model[0].auto_model), reads="input_ids").eval()


def _bert(packed: Packed) -> torch.nn.Module:
    """The layers; the words' own embeddings stay in the file and are looked up there (`Packed.rows`)."""
    from transformers import BertConfig, BertModel

    shape = packed.shape
    config = BertConfig(
        vocab_size=1,
        pad_token_id=0,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.feed_forward,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.types,
        layer_norm_eps=shape.epsilon,
    )
    config._attn_implementation = "eager"
    model = BertModel(config, add_pooling_layer=False)
    model.load_state_dict(_state(packed), strict=False)
    return cast("torch.nn.Module", model)


def _state(packed: Packed) -> dict[str, torch.Tensor]:
    def tensor(name: str, *shape: int) -> torch.Tensor:
        return torch.from_numpy(packed.tensor(name).copy()).reshape(*shape)

    hidden = packed.shape.hidden
    state = {
        "embeddings.position_embeddings.weight": tensor("emb.pos", -1, hidden),
        "embeddings.token_type_embeddings.weight": tensor("emb.type", -1, hidden),
        "embeddings.LayerNorm.weight": tensor("emb.ln.w", -1),
        "embeddings.LayerNorm.bias": tensor("emb.ln.b", -1),
    }
    for layer in range(packed.shape.layers):
        for part, name in {**_LINEAR, **_NORMS}.items():
            bias = tensor(f"l{layer}.{name}.b", -1)
            weight = (len(bias), -1) if part in _LINEAR else (-1,)
            state[f"encoder.layer.{layer}.{part}.weight"] = tensor(f"l{layer}.{name}.w", *weight)
            state[f"encoder.layer.{layer}.{part}.bias"] = bias
    return state
