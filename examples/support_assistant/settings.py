"""Settings of the case: how much is asked, fired and drawn, and everything that is declared rather than measured."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from examples.support_assistant.shop import CATEGORIES
from examples.support_assistant.tickets import TICKETS_MAX
from weighbridge.core.errors import Invalid

# Limits of MLPerf for a model of this size: first token within 2,000 ms, each other one within 100 ms.
LIMITS, GOOD_SHARE = "llama3.1-8b", 0.95
PEAK_PER_S, MEAN_PER_S = 4.0, 1.4
Ends = tuple[float, float]
TITLES: Mapping[str, str] = {
    "a": "A managed API (double)",
    "b": "B open weights 8B on one GPU (double)",
    "c": "C SmolLM2-135M, served here",
    "d": "D small specialist, trained here",
}
DOUBLES = ("a", "b")
# The numbers of Llama-3.1-8B, in the form of a `config.json`.
OPEN_MODEL: Mapping[str, Any] = {
    "model_type": "llama",
    "num_hidden_layers": 32,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class DeclaredSupport:
    """What nothing here can measure. `fallback_usd` is what a person costs who answers instead of the model.

    `demand` scales the mean demand, a 90 % range. Each of B, C and D runs on machines of the price book, at the prices
    of the day `prices_on`: a case stays as it is when the book ages. `spare` replicas stand by. B has `slots` sequences
    at once, on the accelerator of its machine.
    """

    fallback_usd: float = 0.40
    demand: Ends = (0.8, 1.25)
    prices_on: str = "2026-12-01"
    model_sku: str = "openai/gpt-5.6-luna"
    gpu_sku: str = "aws/us-east-1/g6e.xlarge"
    accelerator: str = "l40s"
    cpu_sku: str = "aws/us-east-1/c5.xlarge"
    context_tokens: int = 1_024
    slots: int = 32
    spare: int = 1
    balance: float = 0.9
    weights: Mapping[str, float] = dataclasses.field(
        default_factory=lambda: {"cost": 0.4, "quality": 0.4, "speed": 0.2}
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class SupportSettings:
    """`tickets` are asked of each candidate once, and so are `attacks`, tickets with a planted instruction.

    Each is fired at with `rate_per_s` for `seconds`, except for C: one thread serves a small part of the peak, so that
    one of its replicas gets `local_rate_per_s`. The specialist learns from `training` other tickets. Each rate of the
    simulated replica has `sizing_requests` with each of `sizing_seeds`.
    """

    tickets: int = TICKETS_MAX
    attacks: int = 100
    rate_per_s: float = PEAK_PER_S
    local_rate_per_s: float = 0.5
    seconds: float = 60.0
    training: int = 3_000
    sizing_requests: int = 2_000
    sizing_seeds: int = 3
    draws: int = 10_000
    seed: int = 20_260_101
    declared: DeclaredSupport = dataclasses.field(default_factory=DeclaredSupport)

    def __post_init__(self) -> None:
        """Refuse fewer tickets or attacks than categories, and more than the doubles know."""
        for field in ("tickets", "attacks"):
            if not len(CATEGORIES) <= getattr(self, field) <= TICKETS_MAX:
                raise Invalid(f"Ask {len(CATEGORIES)} to {TICKETS_MAX} {field}.", field=field)

    def rate_of(self, option: str) -> float:
        """Return the rate (1/s) at which one replica of a candidate is tested."""
        return self.local_rate_per_s if option == "c" else self.rate_per_s


FULL = SupportSettings()
QUICK = SupportSettings(tickets=40, attacks=12, seconds=38.0, training=1_500, sizing_requests=600, draws=2_000)
