"""Factories that tests name as `package.module:factory`."""

import torch  # noqa: TID253 -- tests build models

BUILT = "no callable"


def line():
    """Scores three classes from four numbers; the third is always the sum."""
    module = torch.nn.Linear(4, 3, bias=False)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[1.0, 0, 0, 0], [0, 1.0, 0, 0], [1.0, 1, 1, 1]]))
    return module


class Pair(torch.nn.Module):
    """Answers twice."""

    def forward(self, x):
        return x, x


def number():
    return 5


class Masked(torch.nn.Module):
    """Adds up what a mask leaves, and counts what there is."""

    def forward(self, ids, mask):
        return {"sum": (ids * mask).sum(dim=1), "size": torch.full((ids.shape[0],), ids.shape[1])}
