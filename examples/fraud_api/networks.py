"""The two networks. Each takes transactions (n, 12) and gives one score of fraud (n, 1), a log odds.

B is an FT-Transformer (Gorishniy et al. 2021), a published architecture for tables: each feature becomes a token,
layers of attention relate them, a token of its own carries the answer. No package carries weights for such
transactions, so it is pre-trained here on unlabeled ones, by guessing features that were hidden, and then fine-tuned
on labels. C is a small network of two hidden layers.
"""

from typing import Any

from examples.fraud_api.transactions import FEATURES

# The share of features that pre-training hides.
HIDDEN = 0.25


def light(*, width: int = 32) -> Any:
    """Return C: two hidden layers of `width` and half as many."""
    from torch import nn

    return nn.Sequential(
        nn.Linear(FEATURES, width), nn.ReLU(), nn.Linear(width, width // 2), nn.ReLU(), nn.Linear(width // 2, 1)
    )


def transformer(*, width: int = 16, depth: int = 1, heads: int = 4) -> Any:
    """Return B: tokens of features, pre-norm encoder layers, and the score from the token that carries the answer."""
    import torch
    from torch import nn

    class FtTransformer(nn.Module):
        """Answers with a score; `rebuild` guesses every feature from what was not hidden."""

        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.randn(FEATURES, width) * 0.3)
            self.shift = nn.Parameter(torch.randn(FEATURES, width) * 0.3)
            self.mask = nn.Parameter(torch.zeros(width))
            self.answer = nn.Parameter(torch.randn(1, 1, width) * 0.3)
            layer = nn.TransformerEncoderLayer(
                width, heads, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
            )
            self.layers = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
            self.head = nn.Sequential(nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, 1))
            self.guess = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 1))

        def encoded(self, x: Any, hidden: Any = None) -> Any:
            """Return a token for the answer and one for each feature, (n, 13, width)."""
            tokens = x.unsqueeze(-1) * self.scale + self.shift
            if hidden is not None:
                tokens = torch.where(hidden.unsqueeze(-1), self.mask + self.shift, tokens)
            return self.layers(torch.cat([self.answer.expand(tokens.shape[0], -1, -1), tokens], dim=1))

        def rebuild(self, x: Any, hidden: Any) -> Any:
            """Return guesses of all features, (n, 12)."""
            return self.guess(self.encoded(x, hidden)[:, 1:]).squeeze(-1)

        def forward(self, x: Any) -> Any:
            """Return scores (n, 1)."""
            return self.head(self.encoded(x)[:, 0])

    return FtTransformer()
