"""Usage of a month against the limits of an authorization, and which model a name in a report means."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

SIGN = re.compile("[-@]")
STEPS = (100, 80)
"""The shares of a limit, in percent, that raise a finding; the largest first."""


@dataclass(frozen=True, kw_only=True)
class UsageTotals:
    """What was used in a calendar month (UTC); `usd` is None if a part of it has no price."""

    requests: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    usd: Decimal | None = Decimal(0)

    @property
    def tokens(self) -> int:
        """Input tokens, cached ones included, and output tokens, reasoning included."""
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True)
class LimitShare:
    """One limit and what was used of it: `name` is tokens or USD."""

    name: str
    used: Decimal
    limit: Decimal

    @property
    def percent(self) -> Decimal:
        """The share in percent."""
        return 100 * self.used / self.limit

    @property
    def step(self) -> int:
        """The largest of 80 and 100 percent that is reached; 0 below. Above means that the limit is exceeded."""
        return next((step for step in STEPS if self.percent >= step), 0)

    @property
    def is_exceeded(self) -> bool:
        """Whether more was used than the limit."""
        return self.used > self.limit


def shares_of(usage: UsageTotals, *, tokens: int | None, usd: Decimal | None) -> tuple[LimitShare, ...]:
    """The share of each limit. Usage without a price has no share of the limit in US dollars."""
    found = [LimitShare("tokens", Decimal(usage.tokens), Decimal(tokens))] if tokens else []
    if usd and usage.usd is not None:
        found.append(LimitShare("USD", usage.usd, usd))
    return tuple(found)


def models_meant(names: Collection[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The providers and the models that the names may mean, as a first choice: more than they mean, and none less.

    A name may end with a snapshot after `-` or `@`, and a model may have these signs in its own name.
    """
    parts = [(provider, called) for provider, sign, called in (name.partition("/") for name in names) if sign]
    cut = (called[: found.start()] for _, called in parts for found in SIGN.finditer(called))
    return frozenset(provider for provider, _ in parts), frozenset({called for _, called in parts}.union(cut))


def digest_named(name: str, *, names: Mapping[str, Collection[str]], living: Collection[str]) -> str:
    """The digest of the only subject that is called by this name, of those in force first; "" if it is not one.

    `names` are the names of each digest.
    """
    called = {digest for digest, several in names.items() if name in several}
    for candidates in (called & set(living), called):
        if len(candidates) == 1:
            return next(iter(candidates))
    return ""
