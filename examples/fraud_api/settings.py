"""Settings of the case: how much is drawn, trained and fired, and everything that is declared rather than measured."""

import dataclasses
from collections.abc import Mapping

from weighbridge.core.errors import Invalid

LIMIT_MS, PEAK_PER_S = 200.0, 1_000.0
LEAST_ROWS = 2_000
Ends = tuple[float, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class StandIn:
    """How the stand-in for the managed API behaves. Declared, not measured: no vendor's service is called.

    Latency is lognormal with `median_ms` and `sigma` (of its logarithm); `error_rate` of the answers are 503; above
    `limit_per_s`, with a second's worth in hand, the answer is 429. Its scores follow no model.
    """

    median_ms: float = 80.0
    sigma: float = 0.35
    error_rate: float = 0.001
    limit_per_s: float = 2_000.0
    seed: int = 20_260_101

    def __post_init__(self) -> None:
        """Refuse what is no behavior."""
        if self.median_ms <= 0 or self.sigma < 0 or self.limit_per_s <= 0:
            text = "A stand-in has a positive latency and limit, and a spread of zero or more."
            raise Invalid(text, field="stand_in")
        if not 0 <= self.error_rate <= 1:
            raise Invalid("The error rate is a share between 0 and 1.", field="stand_in")

    def words(self) -> str:
        """Return the law in one sentence."""
        return (
            f"latency lognormal around {self.median_ms:g} ms with sigma {self.sigma:g}, {self.error_rate:.2%} of the "
            f"answers 503, above {self.limit_per_s:,.0f} a second 429"
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Declared:
    """What people have to say because nothing here can measure it; each pair holds it nine times in ten.

    `recall` is that of the managed API at one false alarm in 100; weeks are those of all people together, calendar
    time.
    """

    recall: tuple[float, float, float] = (0.66, 0.58, 0.72)
    weeks: Mapping[str, Ends] = dataclasses.field(default_factory=lambda: {"a": (2, 5), "b": (6, 14), "c": (10, 20)})
    people: Mapping[str, float] = dataclasses.field(default_factory=lambda: {"a": 1, "b": 2, "c": 2})
    maintenance_fte: Mapping[str, Ends] = dataclasses.field(
        default_factory=lambda: {"a": (0.1, 0.3), "b": (0.4, 1.0), "c": (0.3, 0.8)}
    )
    model_sku: str = "google/gemini-2.5-flash-lite"
    instance_sku: str = "aws/us-east-1/c5.xlarge"
    slots: int = 4
    input_tokens: Ends = (120, 180)
    output_tokens: Ends = (2, 6)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FraudSettings:
    """`rows` labeled transactions to learn from, `unlabeled` ones to pre-train on, `test_rows` to judge by.

    Each server is fired at with `rate_per_s` for `seconds`; the year's busiest hour has PEAK_PER_S.
    """

    rows: int = 40_000
    unlabeled: int = 40_000
    test_rows: int = 100_000
    pretrain_epochs: int = 1
    epochs: Mapping[str, int] = dataclasses.field(default_factory=lambda: {"b": 6, "c": 12})
    batch: int = 256
    rate_per_s: float = PEAK_PER_S
    seconds: float = 20.0
    draws: int = 10_000
    seed: int = 20_260_101
    stand_in: StandIn = dataclasses.field(default_factory=StandIn)
    declared: Declared = dataclasses.field(default_factory=Declared)

    def __post_init__(self) -> None:
        """Refuse fewer transactions than hold enough frauds to learn from."""
        if min(self.rows, self.unlabeled, self.test_rows) < LEAST_ROWS:
            raise Invalid(f"Draw at least {LEAST_ROWS:,} transactions of each kind.", field="rows")


FULL = FraudSettings()
QUICK = FraudSettings(
    rows=6_000,
    unlabeled=2_000,
    test_rows=20_000,
    pretrain_epochs=1,
    epochs={"b": 2, "c": 8},
    rate_per_s=200.0,
    seconds=5.0,
    draws=1_000,
)
