"""Channels: find the parts of a network that belong to the same channels by following its graph (`torch.fx`).

A *space* is a set of channels that are kept or dropped together: the filters that produce them, the normalization that
scales them, and the weights that read them. Adding two tensors joins their spaces (residual connections). An operator
that this module does not know fixes its spaces: their channels are not dropped. So an unknown operator costs savings,
never correctness.
"""

import dataclasses
import math
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.core.extras import import_extra

ACTIVATION_MODULES = ("ReLU", "ReLU6", "LeakyReLU", "ELU", "SiLU", "GELU", "Hardswish", "Hardsigmoid", "Hardtanh")
POOLING_MODULES = ("MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "AdaptiveMaxPool2d")
SAME_MODULES = (*ACTIVATION_MODULES, *POOLING_MODULES, "Sigmoid", "Tanh", "Dropout", "Dropout2d", "Identity")
ACTIVATIONS = ("relu", "relu_", "relu6", "leaky_relu", "silu", "gelu", "hardswish", "hardtanh", "sigmoid", "tanh")
POOLINGS = ("max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "boolean_dispatch")
SAME_FUNCTIONS = (*ACTIVATIONS, *POOLINGS, "dropout", "contiguous")
JOINING = ("add", "add_", "iadd", "mul", "mul_", "imul")
RESHAPING = ("flatten", "view", "reshape")


class ChannelRole(StrEnum):
    """The role of a module's weights for the channels of a space."""

    MAKES = "makes"
    READS = "reads"
    SCALES = "scales"
    FILTERS = "filters"  # depthwise: one filter for each channel


@dataclasses.dataclass(frozen=True)
class ChannelPart:
    """A module by its qualified name, its role, and the number of consecutive inputs per channel."""

    module: str
    role: ChannelRole
    spread: int = 1


@dataclasses.dataclass
class Space:
    """Channels that are kept or dropped together; a fixed space keeps all."""

    size: int
    is_fixed: bool = False
    parts: list[ChannelPart] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Flow:
    """The channels of a tensor: their space, the number of elements per channel, and the axis."""

    space: int
    spread: int
    axis: int


def free_spaces(network: Any, example: Any) -> list[Space]:
    """Return the spaces whose channels may be dropped; `example` is a batch, shape (rows, ...).

    Raises Invalid for a network whose graph cannot be followed (control flow that depends on the data).
    """
    torch = import_extra("torch")
    shape_prop = import_extra("torch.fx.passes.shape_prop")

    try:
        traced = torch.fx.symbolic_trace(network)
        with torch.no_grad():
            shape_prop.ShapeProp(traced).propagate(example)
    except Exception as error:
        # fx has no exception class of its own, and the network may raise anything.
        kind = type(error).__name__
        text = f"The graph of the network cannot be followed, so no channel can be dropped: {kind}: {error}"
        raise Invalid(text, code="untraceable", field="torch") from error
    follower = Follower(traced)
    for node in traced.graph.nodes:
        follower.follow(node)
    return [space for space in follower.roots() if not space.is_fixed and space.size > 1]


class Follower:
    """Walks the nodes of a traced network in order and collects its spaces."""

    def __init__(self, traced: Any) -> None:
        """Follow a `torch.fx.GraphModule` with propagated shapes."""
        self._modules = dict(traced.named_modules())
        self._uses = Counter(node.target for node in traced.graph.nodes if node.op == "call_module")
        self._spaces: list[Space] = []
        self._joined: list[int] = []
        self._flows: dict[Any, Flow] = {}
        self._counts: set[Any] = set()

    def roots(self) -> list[Space]:
        """Return the spaces; joined spaces only once."""
        return [space for index, space in enumerate(self._spaces) if self._root(index) == index]

    def follow(self, node: Any) -> None:
        """Record the effect of one node on the channels of its inputs."""
        flow = self._rule(node)(node) if self._sources(node) else None
        self._flows[node] = flow or self._lost(node)

    def _rule(self, node: Any) -> Callable[[Any], Flow | None]:
        """Return the rule for a node; weights that are used twice belong to two spaces and fix both."""
        if node.op == "call_module":
            name = type(self._modules[node.target]).__name__
            rules = {"Flatten": self._flatten, **dict.fromkeys(SAME_MODULES, self._same)}
            if self._uses[node.target] == 1:
                rules |= dict.fromkeys(("Conv1d", "Conv2d"), self._convolution)
                rules |= dict.fromkeys(("BatchNorm1d", "BatchNorm2d"), self._normalization)
                rules["Linear"] = self._linear
            return rules.get(name, self._lost)
        name = getattr(node.target, "__name__", node.target) if node.op in ("call_function", "call_method") else ""
        rules = {"mean": self._mean, "size": self._count, "getattr": self._count, "getitem": self._count}
        rules |= dict.fromkeys(RESHAPING, self._flatten)
        rules |= dict.fromkeys(SAME_FUNCTIONS, self._same)
        rules |= dict.fromkeys(JOINING, self._join)
        return rules.get(name, self._lost)

    def _sources(self, node: Any) -> list[Flow]:
        return [self._flows[source] for source in node.all_input_nodes]

    def _lost(self, node: Any) -> Flow:
        """Fix all input spaces and start a new fixed space."""
        for flow in self._sources(node):
            self._space(flow).is_fixed = True
        return Flow(self._new(0, is_fixed=True), 1, 1)

    def _new(self, size: int, *, is_fixed: bool = False) -> int:
        self._spaces.append(Space(size, is_fixed))
        self._joined.append(len(self._joined))
        return len(self._joined) - 1

    def _root(self, index: int) -> int:
        while self._joined[index] != index:
            index = self._joined[index]
        return index

    def _space(self, flow: Flow) -> Space:
        return self._spaces[self._root(flow.space)]

    def _same(self, node: Any) -> Flow:
        return self._sources(node)[0]

    def _convolution(self, node: Any) -> Flow | None:
        module, source = self._modules[node.target], self._sources(node)[0]
        is_along = source.axis == 1 and source.spread == 1
        if module.groups == 1:
            return self._weighted(node.target, source, module.out_channels, axis=1, is_along=is_along)
        if is_along and module.groups == module.in_channels == module.out_channels:
            self._space(source).parts.append(ChannelPart(node.target, ChannelRole.FILTERS))
            return source
        return None

    def _linear(self, node: Any) -> Flow:
        module, source = self._modules[node.target], self._sources(node)[0]
        # A tensor with two axes has its channels along the last one.
        is_along = source.axis == -1 or len(_shape(node.all_input_nodes[0])) == 2
        return self._weighted(node.target, source, module.out_features, axis=-1, is_along=is_along)

    def _weighted(self, target: str, source: Flow, size: int, *, axis: int, is_along: bool) -> Flow:
        """Record a reader of the source and start a new space; reading along another axis fixes the source."""
        if is_along:
            self._space(source).parts.append(ChannelPart(target, ChannelRole.READS, source.spread))
        else:
            self._space(source).is_fixed = True
        made = self._new(size)
        self._spaces[made].parts.append(ChannelPart(target, ChannelRole.MAKES))
        return Flow(made, 1, axis)

    def _normalization(self, node: Any) -> Flow | None:
        source = self._sources(node)[0]
        is_along = source.axis == 1 or len(_shape(node)) == 2
        if source.spread != 1 or not is_along:
            return None
        self._space(source).parts.append(ChannelPart(node.target, ChannelRole.SCALES))
        return source

    def _flatten(self, node: Any) -> Flow | None:
        source, before = self._sources(node)[0], _shape(node.all_input_nodes[0])
        if _shape(node) == before:
            return source
        if source.axis != 1 or len(_shape(node)) != 2 or _shape(node)[0] != before[0]:
            return None
        return Flow(source.space, source.spread * math.prod(before[2:]), 1)

    def _count(self, node: Any) -> Flow | None:
        """Pass through numbers that only describe the size of a tensor; they have no channels."""
        source = node.all_input_nodes[0]
        is_shape = node.target == "size" or "shape" in node.args
        if not is_shape and source not in self._counts:
            return None
        self._counts.add(node)
        return Flow(self._new(0), 1, 1)

    def _mean(self, node: Any) -> Flow | None:
        source, before, after = self._sources(node)[0], _shape(node.all_input_nodes[0]), _shape(node)
        is_spatial = source.axis == 1 and source.spread == 1 and len(before) == 4 and after[:2] == before[:2]
        return source if is_spatial else None

    def _join(self, node: Any) -> Flow | None:
        flows = self._sources(node)
        if len(flows) == 1:
            return flows[0] if len(node.args) == 2 and not isinstance(node.args[1], tuple) else None
        same = {(flow.spread, flow.axis) for flow in flows}
        shapes = [_shape(source) for source in node.all_input_nodes]
        widths = {(len(shape), shape[flow.axis]) for shape, flow in zip(shapes, flows, strict=True)}
        if len(same) != 1 or len(widths) != 1:
            return None
        keep, gone = (self._root(flow.space) for flow in flows)
        if keep != gone:
            self._spaces[keep].parts += self._spaces[gone].parts
            self._spaces[keep].is_fixed |= self._spaces[gone].is_fixed
            self._joined[gone] = keep
        return flows[0]


def _shape(node: Any) -> tuple[int, ...]:
    """Return the shape of a node's tensor; () if it is not a tensor."""
    return tuple(getattr(node.meta.get("tensor_meta"), "shape", ()))
