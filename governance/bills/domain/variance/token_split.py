"""Why the cost of language models differs from its plan: models, requests, tokens, cache and price.

With n requests, of which the share s goes to a model, i input tokens and o output tokens for each, of which the shares
c and w of the input are read from and written to a cache, and prices p in US dollars per million tokens:

    cost = n sum_models s [i (1 - c - w) p_in + i c p_read + i w p_write + o p_out] / 1e6

The difference is split by Shapley value over five groups: s, n, (i, o), (c, w) and the prices. Everything is calculated
in fractions. What the formula does not hold is named apart: `rounding_or_discount` is the billed cost of the tokens
less unit price x quantity, `other` is what else is billed less what else is planned.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from itertools import product

from governance.bills.domain.variance.shapley import in_order, shapley, whole_cents
from weighbridge.core.errors import Invalid

MILLION = 1_000_000
GROUPS = ("model", "requests", "tokens", "cache", "price")
METHOD = "Shapley value over all orders"
ORDER = ", ".join(GROUPS)
KINDS = ("uncached", "read", "write", "output")
MODELS_MAX = 100


@dataclass(frozen=True)
class ModelUse:
    """How a model is used: its share of the requests, and for each request its tokens by kind, as fractions.

    `input_tokens` includes those read from and written to a cache, which are shares of it. `prices` are in US dollars
    per million tokens by kind (`KINDS`); None where no price is known, which is the case only without such tokens.
    """

    share: Fraction
    input_tokens: Fraction
    output_tokens: Fraction
    read_share: Fraction = Fraction(0)
    write_share: Fraction = Fraction(0)
    prices: Mapping[str, Fraction | None] = field(default_factory=dict)


@dataclass(frozen=True)
class TokenMonth:
    """A month of language models, planned or billed: requests, uses by model, and costs in US dollars.

    `remainder` is the billed cost of the tokens less unit price x quantity, `other` what is not paid for tokens.
    """

    requests: Fraction
    uses: Mapping[str, ModelUse]
    remainder: Fraction = Fraction(0)
    other: Fraction = Fraction(0)


@dataclass(frozen=True)
class TokenSplit:
    """The parts of a month's difference in whole cents, which add up to it, by a named method.

    The parts of `in_order` are those of the one order `order`: they add up to the same, but another order gives others.
    """

    model: Decimal
    requests: Decimal
    tokens: Decimal
    cache: Decimal
    price: Decimal
    rounding_or_discount: Decimal
    other: Decimal
    planned: Decimal
    billed: Decimal
    in_order: Mapping[str, Decimal]
    method: str = METHOD
    order: str = ORDER

    @property
    def total(self) -> Decimal:
        """Billed less planned, in US dollars."""
        named = self.model, self.requests, self.tokens, self.cache, self.price
        return sum((*named, self.rounding_or_discount, self.other), Decimal(0))


def split_tokens(planned: TokenMonth, billed: TokenMonth) -> TokenSplit:
    """The parts of `billed - planned`, in cents. Raises Invalid for a plan without requests, or negative quantities."""
    if planned.requests <= 0 or not planned.uses:
        raise Invalid("The plan must have requests and a model.", field="planned")
    if len({*planned.uses, *billed.uses}) > MODELS_MAX:
        raise Invalid(f"A use has at most {MODELS_MAX} models.", field="billed")
    for name, month in (("planned", planned), ("billed", billed)):
        _check(name, month)
    parts, ordered = exact_parts(planned, billed)
    rest = {
        "rounding_or_discount": billed.remainder - planned.remainder,
        "other": billed.other - planned.other,
    }
    cents = whole_cents(parts | rest)
    return TokenSplit(
        model=cents["model"],
        requests=cents["requests"],
        tokens=cents["tokens"],
        cache=cents["cache"],
        price=cents["price"],
        rounding_or_discount=cents["rounding_or_discount"],
        other=cents["other"],
        planned=_usd(token_cost(planned) + planned.remainder + planned.other),
        billed=_usd(token_cost(billed) + billed.remainder + billed.other),
        in_order=whole_cents(ordered | rest),
    )


def exact_parts(planned: TokenMonth, billed: TokenMonth) -> tuple[dict[str, Fraction], dict[str, Fraction]]:
    """The parts of the groups in fractions of a US dollar: by Shapley value, and in the one order of `GROUPS`."""
    months = completed(planned, billed)
    names = tuple(months[0].uses)
    costs = {
        (name, *chosen): cost_of_request(_mixed(*(months[each].uses[name] for each in chosen)))
        for name in names
        for chosen in product((0, 1), repeat=3)
    }

    def cost(changed: frozenset[str]) -> Fraction:
        model, requests, *chosen = (int(group in changed) for group in GROUPS)
        shared = (months[model].uses[name].share * costs[(name, *chosen)] for name in names)
        return months[requests].requests * sum(shared, Fraction(0))

    return shapley(GROUPS, cost), in_order(GROUPS, cost)


def completed(planned: TokenMonth, billed: TokenMonth) -> tuple[TokenMonth, TokenMonth]:
    """Both months with the models of both, so that every group can be changed alone.

    A model that only one month has gets the share 0 in the other. A billed model that was not planned has the plan's
    mean tokens and cache shares, and its billed prices as planned ones: its price is then a matter of the model, not of
    the price. A planned model that was not billed keeps what was planned. A price that one month lacks is that of the
    other.
    """
    typical = _mean_use(planned)
    before = {**{name: replace(typical, share=Fraction(0)) for name in billed.uses}, **planned.uses}
    without_requests = {name: replace(use, share=Fraction(0)) for name, use in planned.uses.items()}
    after = {**without_requests, **billed.uses}
    if billed.requests == 0:
        after = {name: replace(use, share=before[name].share) for name, use in after.items()}
    names = sorted(before)
    return (
        replace(planned, uses={name: _with_prices(before[name], after[name]) for name in names}),
        replace(billed, uses={name: _with_prices(after[name], before[name]) for name in names}),
    )


def token_cost(month: TokenMonth) -> Fraction:
    """The cost of the tokens of a month in US dollars, by the formula."""
    return month.requests * sum((use.share * cost_of_request(use) for use in month.uses.values()), Fraction(0))


def cost_of_request(use: ModelUse) -> Fraction:
    """The cost of the tokens of one request to a model, in US dollars."""
    uncached = 1 - use.read_share - use.write_share
    tokens = {
        "uncached": use.input_tokens * uncached,
        "read": use.input_tokens * use.read_share,
        "write": use.input_tokens * use.write_share,
        "output": use.output_tokens,
    }
    return sum((count * (use.prices.get(kind) or 0) for kind, count in tokens.items()), Fraction(0)) / MILLION


def _mixed(tokens: ModelUse, cache: ModelUse, price: ModelUse) -> ModelUse:
    """A use with the tokens of one, the cache shares of another and the prices of a third."""
    return replace(tokens, read_share=cache.read_share, write_share=cache.write_share, prices=price.prices)


def _mean_use(month: TokenMonth) -> ModelUse:
    """The mean use of a request over all models of a month, without prices."""
    shares = sum((use.share for use in month.uses.values()), Fraction(0))
    asked = sum((use.share * use.input_tokens for use in month.uses.values()), Fraction(0))

    def mean(total: Fraction, over: Fraction) -> Fraction:
        return total / over if over else Fraction(0)

    answered = sum((use.share * use.output_tokens for use in month.uses.values()), Fraction(0))
    read = sum((use.share * use.input_tokens * use.read_share for use in month.uses.values()), Fraction(0))
    written = sum((use.share * use.input_tokens * use.write_share for use in month.uses.values()), Fraction(0))
    return ModelUse(shares, mean(asked, shares), mean(answered, shares), mean(read, asked), mean(written, asked))


def _with_prices(use: ModelUse, other: ModelUse) -> ModelUse:
    """The use with the other month's price where it has none."""
    prices = {
        kind: use.prices.get(kind) if use.prices.get(kind) is not None else other.prices.get(kind) for kind in KINDS
    }
    return replace(use, prices=prices)


def _check(name: str, month: TokenMonth) -> None:
    for model, use in month.uses.items():
        amounts = (use.share, use.input_tokens, use.output_tokens, use.read_share, use.write_share)
        if min(amounts) < 0 or use.read_share + use.write_share > 1:
            raise Invalid(
                f"Tokens of {model!r} must not be below zero, and cached ones not more than the input.",
                field=f"{name}.{model}",
            )
    shares = sum((use.share for use in month.uses.values()), Fraction(0))
    if month.requests < 0 or (month.requests > 0 and shares != 1):
        raise Invalid("The shares of the models must add up to all requests.", field=name)


def _usd(value: Fraction) -> Decimal:
    return whole_cents({"usd": value})["usd"]
