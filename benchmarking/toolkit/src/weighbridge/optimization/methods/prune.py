"""Pruning: drop whole channels from a network, so that it becomes smaller and faster.

Setting single weights to zero (`torch.nn.utils.prune`) leaves every tensor at its size: the file only compresses
better, and the latency does not change. A dropped channel needs no memory and no time.
"""

import copy
import dataclasses
from enum import StrEnum
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.core.extras import import_extra
from weighbridge.optimization.methods.channels import ChannelPart, ChannelRole, Space, free_spaces

UNSTRUCTURED = (
    "Unstructured pruning (single weights set to zero) is not offered: the tensors keep their shapes, so the file, the "
    "memory and the latency do not shrink; only a compressed download does."
)


class ChannelScore(StrEnum):
    """The importance of a channel: the L1 or L2 norm of its filters, or the scale of its batch normalization."""

    L1 = "l1"
    L2 = "l2"
    BATCH_NORM = "batch-norm"


@dataclasses.dataclass(frozen=True, kw_only=True)
class PruneSettings:
    """The share of channels to drop from each space that is not fixed, and the score."""

    amount: float = 0.5
    score: ChannelScore = ChannelScore.L1

    def __post_init__(self) -> None:
        """Refuse a share of 0 or 1."""
        if not 0 < self.amount < 1:
            raise Invalid("The share of channels to drop must be between 0 and 1: 0.5 is half of them.", field="prune")


def pruned(network: Any, example: Any, *, settings: PruneSettings) -> Any:
    """Return a copy of a network without its least important channels; `example` is any batch, shape (rows, ...).

    In each space, the channels with the highest score stay, at least one. Raises Invalid if no channel can be dropped.
    """
    smaller = copy.deepcopy(network).eval()
    spaces = free_spaces(smaller, example)
    if not spaces:
        text = (
            "No channel of this network can be dropped: all are tied to its input, its output or an operator that is "
            "not followed."
        )
        raise Invalid(text, code="nothing_to_prune", field="prune")
    modules = dict(smaller.named_modules())
    for space in spaces:
        keep = kept(space, modules, settings)
        for part in space.parts:
            _cut(modules[part.module], part, keep)
    return smaller


def kept(space: Space, modules: dict[str, Any], settings: PruneSettings) -> Any:
    """Return the indices of the channels that stay, in order."""
    torch = import_extra("torch")

    count = max(1, round(space.size * (1 - settings.amount)))
    return torch.sort(torch.topk(_scores(space, modules, settings.score), count).indices).values


def _scores(space: Space, modules: dict[str, Any], score: ChannelScore) -> Any:
    """Sum the scores of all parts, each divided by its mean, so that no part dominates by its scale."""
    torch = import_extra("torch")

    scaling = [part for part in space.parts if part.role is ChannelRole.SCALES]
    making = [part for part in space.parts if part.role in (ChannelRole.MAKES, ChannelRole.FILTERS)]
    parts = scaling if score is ChannelScore.BATCH_NORM and scaling else making
    power = 2 if score is ChannelScore.L2 else 1
    weights = [modules[part.module].weight.detach().reshape(space.size, -1) for part in parts]
    norms = [weight.norm(p=power, dim=1) for weight in weights]
    return torch.stack([norm / norm.mean().clamp_min(1e-12) for norm in norms]).sum(dim=0)


def _cut(module: Any, part: ChannelPart, keep: Any) -> None:
    if part.role is ChannelRole.READS:
        _cut_inputs(module, keep, part.spread)
        return
    for name in ("weight", "bias", "running_mean", "running_var"):
        _shorten(module, name, keep, axis=0)
    sizes = {
        ChannelRole.MAKES: ("out_channels", "out_features"),
        ChannelRole.SCALES: ("num_features",),
        ChannelRole.FILTERS: ("in_channels", "out_channels", "groups"),
    }[part.role]
    for name in sizes:
        if hasattr(module, name):
            setattr(module, name, len(keep))


def _cut_inputs(module: Any, keep: Any, spread: int) -> None:
    torch = import_extra("torch")

    columns = (keep[:, None] * spread + torch.arange(spread)).flatten()
    _shorten(module, "weight", columns, axis=1)
    setattr(module, "in_channels" if hasattr(module, "in_channels") else "in_features", len(columns))


def _shorten(module: Any, name: str, keep: Any, *, axis: int) -> None:
    torch = import_extra("torch")

    tensor = getattr(module, name, None)
    if tensor is None:
        return
    shorter = tensor.detach().index_select(axis, keep).clone()
    is_parameter = isinstance(tensor, torch.nn.Parameter)
    setattr(module, name, torch.nn.Parameter(shorter, tensor.requires_grad) if is_parameter else shorter)
