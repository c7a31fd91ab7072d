"""A network whose package ships weights without a graph: MiniLM, a BERT with six layers."""

import math
import os
from pathlib import Path
from typing import Any

import torch  # noqa: TID253 -- a network
from safetensors.torch import load_file
from torch import Tensor, nn  # noqa: TID253 -- a network

WEIGHTS = "WEIGHBRIDGE_MINILM"
LAYERS, HEADS, WIDTH, INNER, WORDS, PLACES = 6, 12, 384, 1_536, 30_522, 512


class Layer(nn.Module):
    """Attention and a feed-forward part, each with its sum and normalization after it."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.joined, self.after = nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH, eps=1e-12)
        self.wide, self.narrow, self.last = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH), nn.LayerNorm(WIDTH, 1e-12)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return the states of the next layer."""
        rows, length, _ = x.shape
        query, key, value = (
            part(x).view(rows, length, HEADS, -1).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        scores = query @ key.transpose(2, 3) / math.sqrt(WIDTH // HEADS) + mask
        seen = (scores.softmax(dim=-1) @ value).transpose(1, 2).reshape(rows, length, WIDTH)
        x = self.after(self.joined(seen) + x)
        wide: Tensor = self.last(self.narrow(nn.functional.gelu(self.wide(x))) + x)
        return wide


class MiniLm(nn.Module):
    """Embeds texts: the mean of the last states of their tokens, with length one."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places, self.kinds = (
            nn.Embedding(WORDS, WIDTH),
            nn.Embedding(PLACES, WIDTH),
            nn.Embedding(2, WIDTH),
        )
        self.start = nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the embedding of each row, (rows, 384)."""
        places = torch.arange(input_ids.shape[1], device=input_ids.device)[None]
        x = self.start(self.words(input_ids) + self.places(places) + self.kinds.weight[0])
        mask = (1 - attention_mask[:, None, None, :].to(x.dtype)) * torch.finfo(x.dtype).min
        for layer in self.layers:
            x = layer(x, mask)
        weight = attention_mask[:, :, None].to(x.dtype)
        return nn.functional.normalize((x * weight).sum(dim=1) / weight.sum(dim=1), dim=1)


def _named(weights: dict[str, Tensor]) -> dict[str, Any]:
    names = {
        "embeddings.word_embeddings": "words",
        "embeddings.position_embeddings": "places",
        "embeddings.token_type_embeddings": "kinds",
        "embeddings.LayerNorm": "start",
        "attention.self.": "",
        "attention.output.dense": "joined",
        "attention.output.LayerNorm": "after",
        "intermediate.dense": "wide",
        "output.dense": "narrow",
        "output.LayerNorm": "last",
        "encoder.layer": "layers",
    }
    found = {}
    for name, tensor in weights.items():
        for old, new in names.items():
            name = name.replace(old, new)  # noqa: PLW2901 -- renamed step by step
        found[name] = tensor
    return {name: tensor for name, tensor in found.items() if not name.startswith(("pooler", "embeddings"))}


def minilm() -> nn.Module:
    """Return the network with the weights of the file that the environment names."""
    network = MiniLm()
    network.load_state_dict(_named(load_file(Path(os.environ[WEIGHTS]))))
    return network.eval()
