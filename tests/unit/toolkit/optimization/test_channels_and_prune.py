"""Pruned networks are really smaller, and answer as the whole one does with the dropped channels silenced."""

import copy

import pytest
import torch  # noqa: TID253 -- tests build networks
from torch import nn  # noqa: TID253 -- tests build networks
from torch.utils.flop_counter import FlopCounterMode  # noqa: TID253 -- an oracle

from tests.unit.toolkit.optimization.conftest import accuracy, untrained
from weighbridge.core.errors import Invalid
from weighbridge.optimization.methods.channels import ChannelPart, ChannelRole, free_spaces
from weighbridge.optimization.methods.networks import parameters
from weighbridge.optimization.methods.prune import ChannelScore, PruneSettings, kept, pruned

IMAGE = (3, 1, 8, 8)


class Residual(nn.Module):
    """Two blocks around a skip connection, a depthwise convolution, a gate, and a mean over space."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.deep = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.point = nn.Conv2d(8, 8, 1)
        self.gate = nn.Conv2d(8, 8, 1)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        x = torch.relu(self.norm(self.stem(x)))
        y = self.point(torch.relu(self.deep(x)))
        x = x + y
        x = x * torch.sigmoid(self.gate(x))
        return self.head(x.mean([2, 3]))


class Viewed(nn.Module):
    """Flattens by `view` with a size read from the tensor."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.head = nn.Linear(6 * 64, 3)

    def forward(self, x):
        x = torch.nn.functional.relu(self.norm(self.conv(x)))
        return self.head(x.view(x.size(0), -1))


class Sequence(nn.Module):
    """Tokens with their channels last, as in the feed-forward half of a transformer."""

    def __init__(self):
        super().__init__()
        self.up, self.down, self.norm = nn.Linear(8, 32), nn.Linear(32, 8), nn.LayerNorm(8)

    def forward(self, x):
        x = x.reshape(x.shape[0], 8, 8)
        return self.norm(x + self.down(nn.functional.gelu(self.up(x)) * 2)).flatten(1)


NETWORKS = [untrained, Residual, Viewed, Sequence]


def ready(factory, seed=0):
    """Build a network with statistics of its own in every normalization."""
    torch.manual_seed(seed)
    network = factory()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.uniform_(-0.5, 0.5), module.running_var.uniform_(0.5, 2)
                module.weight.uniform_(0.5, 2), module.bias.uniform_(-1, 1)
    return network.eval()


def silenced(network, example, settings):
    """The oracle: the whole network, in which nobody listens to the channels that would be dropped."""
    whole = copy.deepcopy(network)
    modules = dict(whole.named_modules())
    for space in free_spaces(network, example):
        gone = sorted(set(range(space.size)) - set(kept(space, modules, settings).tolist()))
        for part in space.parts:
            if part.role is ChannelRole.READS:
                columns = [channel * part.spread + place for channel in gone for place in range(part.spread)]
                with torch.no_grad():
                    modules[part.module].weight[:, columns] = 0
    return whole


@pytest.mark.parametrize("score", list(ChannelScore))
@pytest.mark.parametrize("factory", NETWORKS)
@pytest.mark.parametrize("amount", [0.25, 0.5, 0.9])
def test_dropping_channels_equals_silencing_them(factory, amount, score):
    network, settings = ready(factory), PruneSettings(amount=amount, score=score)
    example = torch.randn(IMAGE)
    smaller = pruned(network, torch.zeros(2, *IMAGE[1:]), settings=settings)
    with torch.no_grad():
        assert torch.allclose(smaller(example), silenced(network, example, settings)(example), atol=1e-5)
    assert parameters(smaller) < parameters(network)


def flops(network):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, *IMAGE[1:]))
    return counter.get_total_flops()


def test_half_the_channels_is_half_the_channels_and_far_fewer_operations(trained, digits):
    smaller = pruned(trained, torch.zeros(1, *IMAGE[1:]), settings=PruneSettings(amount=0.5))
    sizes = [(module.out_channels, module.in_channels) for module in smaller if isinstance(module, nn.Conv2d)]
    assert sizes == [(12, 1), (24, 12)]
    assert [(each.in_features, each.out_features) for each in smaller if isinstance(each, nn.Linear)] == [
        (384, 32),
        (32, 10),
    ]
    assert smaller[1].num_features == 12
    assert parameters(smaller) < 0.3 * parameters(trained)
    assert flops(smaller) < 0.35 * flops(trained)
    # The original is as it was.
    assert trained[0].out_channels == 24
    assert accuracy(trained, digits.test) > 0.9


def test_spaces_join_over_a_skip_and_a_gate_and_leave_input_and_output_alone():
    spaces = free_spaces(ready(Residual), torch.zeros(IMAGE))
    assert [(space.size, {(part.module, part.role.value) for part in space.parts}) for space in spaces] == [
        (
            8,
            {
                ("stem", "makes"),
                ("norm", "scales"),
                ("deep", "filters"),
                ("point", "reads"),
                ("point", "makes"),
                ("gate", "reads"),
                ("gate", "makes"),
                ("head", "reads"),
            },
        )
    ]


def test_channels_are_spread_over_the_pixels_they_were_flattened_from():
    (space,) = free_spaces(ready(Viewed), torch.zeros(IMAGE))
    assert ChannelPart("head", ChannelRole.READS, 64) in space.parts


def test_the_channels_with_the_smallest_norms_go():
    network = nn.Sequential(nn.Conv2d(1, 4, 1, bias=False), nn.Flatten(), nn.Linear(4 * 64, 2))
    with torch.no_grad():
        network[0].weight[:] = torch.tensor([0.1, -3.0, 0.2, 2.0]).reshape(4, 1, 1, 1)
    assert pruned(network, torch.zeros(IMAGE), settings=PruneSettings())[0].weight.detach().flatten().tolist() == [
        -3.0,
        2.0,
    ]


def test_a_norm_of_two_weighs_large_weights_more():
    network = nn.Sequential(nn.Conv2d(1, 2, 2, bias=False), nn.Flatten(), nn.Linear(2 * 49, 2))
    with torch.no_grad():
        network[0].weight[0, 0] = torch.tensor([[3.0, 0.0], [0.0, 0.0]])
        network[0].weight[1, 0] = torch.tensor([[1.0, 1.0], [1.0, 1.0]])
    kept_first = {
        score: float(
            pruned(network, torch.zeros(IMAGE), settings=PruneSettings(score=score))[0].weight.detach()[0, 0, 0, 0]
        )
        for score in (ChannelScore.L1, ChannelScore.L2)
    }
    assert kept_first == {ChannelScore.L1: 1.0, ChannelScore.L2: 3.0}


def test_the_scale_of_the_normalization_decides_where_it_is_asked_for():
    network = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(128, 2)).eval()
    with torch.no_grad():
        network[0].weight[:] = torch.tensor([9.0, 1.0]).reshape(2, 1, 1, 1)
        network[1].weight[:] = torch.tensor([0.1, 5.0])
    smaller = pruned(network, torch.zeros(IMAGE), settings=PruneSettings(score=ChannelScore.BATCH_NORM))
    assert (smaller[0].weight.detach().item(), smaller[1].weight.detach().item()) == (1.0, 5.0)


class Wrapped(nn.Module):
    """A convolution, some way to its reader, and the reader."""

    def __init__(self, way, reader=None, conv=None):
        super().__init__()
        self.conv, self.way = conv or nn.Conv2d(1, 4, 3, padding=1), way
        self.reader = reader or nn.Linear(8, 2)

    def forward(self, x):
        return self.reader(self.way(self.conv(x), self))


def twice(x, network):
    return network.conv(x.mean(1, keepdim=True))


def added_to_the_input_width(x, network):
    return x + x[:, :1]


@pytest.mark.parametrize(
    "network",
    [
        Wrapped(lambda x, _: torch.cat([x, x], 1)),  # an operator that is not followed
        Wrapped(lambda x, _: x[:, :2]),  # channels picked out
        Wrapped(lambda x, _: x.permute(0, 2, 3, 1), nn.Linear(4, 2)),  # channels moved
        Wrapped(lambda x, _: x.mean(1)),  # over the channels
        Wrapped(lambda x, _: x),  # a dense layer along the width of an image
        Wrapped(lambda x, _: x.flatten()[:8]),  # rows and channels in one
        Wrapped(twice),  # one module, two places
        Wrapped(added_to_the_input_width),  # two spaces of different widths
        Wrapped(lambda x, _: torch.add(x, 1, alpha=2) + getattr(x, "real")),  # noqa: B009 -- an attribute that is a tensor
        Wrapped(lambda x, _: x, nn.Conv2d(4, 4, 1, groups=2)),  # groups
        Wrapped(lambda x, _: x.flatten(1), nn.BatchNorm1d(256)),  # scales of single pixels
        nn.Sequential(nn.Linear(8, 6), nn.BatchNorm2d(1)),
        nn.Sequential(nn.Linear(8, 6), nn.Conv2d(1, 2, 1)),  # made along one axis, read along another
        nn.Sequential(nn.Conv2d(1, 4, 3)),  # its channels are the output
        nn.Sequential(nn.Conv2d(1, 1, 3), nn.Flatten(), nn.Linear(36, 2)),  # one channel
    ],
)
def test_what_is_not_followed_stays_whole(network):
    with pytest.raises(Invalid, match="No channel of this network can be dropped") as refused:
        pruned(network, torch.zeros(IMAGE), settings=PruneSettings())
    assert refused.value.code == "nothing_to_prune"


def test_a_space_may_join_itself_and_numbers_pass():
    network = Wrapped(lambda x, _: (torch.relu(x) + x + 1).flatten(1).flatten(1), nn.Linear(4 * 64, 2))
    (space,) = free_spaces(network, torch.zeros(IMAGE))
    assert space.size == 4


def test_control_flow_over_data_is_refused():
    network = Wrapped(lambda x, _: x if x.sum() > 0 else -x)
    with pytest.raises(Invalid, match="graph of the network cannot be followed") as refused:
        pruned(network, torch.zeros(IMAGE), settings=PruneSettings())
    assert refused.value.code == "untraceable"


@pytest.mark.parametrize("amount", [0.0, 1.0, -0.5, 2.0])
def test_a_share_that_drops_nothing_or_everything_is_refused(amount):
    with pytest.raises(Invalid, match="between 0 and 1"):
        PruneSettings(amount=amount)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_known_networks_shrink_and_still_answer(name):
    import torchvision

    torch.manual_seed(0)
    network = getattr(torchvision.models, name)(weights=None, num_classes=10).eval()
    settings, image = PruneSettings(amount=0.5), torch.randn(2, 3, 64, 64)
    smaller = pruned(network, image, settings=settings)
    with torch.no_grad():
        assert torch.allclose(smaller(image), silenced(network, image, settings)(image), atol=1e-4)
    assert parameters(smaller) < 0.35 * parameters(network)
