"""Settings of the example: how much is trained and measured; part of what decides its metrics."""

import dataclasses
from collections.abc import Mapping

from weighbridge.core.errors import Invalid
from weighbridge.measure.blocks import BlockSettings
from weighbridge.measure.scenarios import ProfileSettings, SingleStream, WarmUp
from weighbridge.optimization.comparison import VariantComparisonSettings
from weighbridge.optimization.trial import TrialSettings
from weighbridge.tradeoff.requirements import Requirements, limits_of

STATIC, DYNAMIC = "int8-static-per-channel", "int8-dynamic"
LEAST_IMAGES, MOST_IMAGES = 500, 60_000
# What a telephone of the middle price range may be asked for.
ON_DEVICE = Requirements(limits_of(["latency_p95_ms<=5", "model_size_mb<=4", "f1_macro>=0.85"]), quality="f1_macro")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExampleSettings:
    """`images` to train on, most epochs of each family, the variants, and how long is measured.

    `training_minutes` are shared out among the families, so that a slow machine trains for fewer epochs.
    """

    images: int = 10_000
    epochs: Mapping[str, int] = dataclasses.field(default_factory=lambda: {"mobilenet": 4, "resnet": 8, "vit": 12})
    training_minutes: float = 4.5
    variants: tuple[str, ...] = (STATIC, DYNAMIC)
    calibrate: int = 512
    samples: int = 2_000
    least_s: float = 1.0
    longest_s: float = 15.0
    rounds: int = 16
    seed: int = 20_260_101

    def __post_init__(self) -> None:
        """Refuse fewer images than can teach anything, more than there are, and no time."""
        if not LEAST_IMAGES <= self.images <= MOST_IMAGES:
            raise Invalid(f"Train on {LEAST_IMAGES:,} to {MOST_IMAGES:,} images.", field="images")
        if self.training_minutes <= 0:
            raise Invalid("Training takes time: ask for more than 0 minutes.", field="minutes")

    def trial(self) -> TrialSettings:
        """Return how each candidate is measured, on one thread."""
        scenario = SingleStream(
            min_samples=self.samples,
            min_duration_s=self.least_s,
            max_duration_s=self.longest_s,
            warmup=WarmUp(max_duration_s=3.0),
        )
        blocks = BlockSettings(rounds=self.rounds, max_duration_s=self.longest_s)
        return TrialSettings(
            profile=ProfileSettings(scenario=scenario), comparison=VariantComparisonSettings(margin=0.02, blocks=blocks)
        )


FULL = ExampleSettings()
QUICK = ExampleSettings(
    epochs={"mobilenet": 2, "resnet": 3, "vit": 5},
    training_minutes=1.0,
    variants=(STATIC,),
    samples=700,
    longest_s=6.0,
    rounds=8,
)
