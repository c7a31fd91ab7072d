"""The limits of usage per month that a request asks for; its authorization carries them."""

from dataclasses import dataclass
from decimal import Decimal

from governance.rulebook.queries.catalogs import catalog_in_force
from reviews.evidence.queries.evidence import metric_values_of
from reviews.requests.models import ReviewRequest
from weighbridge.core.metrics.values import best
from weighbridge.core.money import format_usd

TOKENS, USD = "tokens_per_month", "usd_per_month"
CENT = Decimal("0.01")


@dataclass(frozen=True)
class UsageLimits:
    """The most tokens (input and output) and US dollars of a calendar month; None is no limit."""

    tokens: int | None = None
    usd: Decimal | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """The limits as the signed statement names them."""
        tokens = () if self.tokens is None else (f"at most {self.tokens:,} tokens in a calendar month",)
        usd = () if self.usd is None else (f"at most {format_usd(self.usd)} in a calendar month",)
        return (*tokens, *usd)


def usage_limits(request: ReviewRequest) -> UsageLimits:
    """The limits in the metric values of the request, of the strongest basis; a limit of 0 is none."""
    values, catalog = metric_values_of(request), catalog_in_force()
    tokens, usd = (best(values, name=name, catalog=catalog) if name in catalog else None for name in (TOKENS, USD))
    return UsageLimits(
        tokens=int(tokens.value) or None if tokens is not None else None,
        usd=usd.value.quantize(CENT) or None if usd is not None else None,
    )
