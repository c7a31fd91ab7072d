"""What the requests of an option cost, prompt by prompt: exactly from the usage of its answers, or as stated."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.value.request_cost import request_cost
from weighbridge.optimization.language.plan_file import AnswerOption, RequestPrice, SharedPrefix
from weighbridge.quality.prompts.answer_file import PromptAnswer, TokenUsage
from weighbridge.quality.prompts.attempts import Attempts
from weighbridge.quality.prompts.outcomes import Outcome, Scored

Tokens = tuple[int, int, int, int]


@dataclasses.dataclass(frozen=True)
class PromptCosts:
    """The cost of a request by prompt, in US dollars, exact and averaged over attempts, by its prices per token.

    In addition, each request costs `price.usd` and its part in what is paid once. `cached` and `inputs` are the cached
    and all input tokens of the answers.
    """

    price: RequestPrice
    usd: Mapping[str, Fraction]
    cached: int
    inputs: int


class RequestPrices:
    """The costs of requests to the model of a price; equal usages are priced once."""

    def __init__(self, book: PriceBook, price: RequestPrice, prefix: SharedPrefix | None) -> None:
        self._book, self._price, self._prefix = book, price, prefix
        self._known: dict[Tokens, Fraction] = {}

    def of(self, tokens: Tokens) -> Fraction:
        """Return the cost of a request; raise Invalid as `request_cost` does."""
        if tokens not in self._known:
            self._known[tokens] = sum((share * self._usd(*usage) for share, usage in self._cases(tokens)), Fraction(0))
        return self._known[tokens]

    def _cases(self, tokens: Tokens) -> Iterator[tuple[Fraction, tuple[Tokens, int]]]:
        """Yield the share of requests with each usage and written tokens: a prefix is in the cache, or is written."""
        if self._prefix is None:
            yield Fraction(1), (tokens, 0)
            return
        inputs, cached, outputs, reasoning = tokens
        prefix = max(cached, min(self._prefix.tokens, inputs))
        hit = Fraction(Decimal(repr(self._prefix.hit_share)))
        yield hit, ((inputs, prefix, outputs, reasoning), 0)
        yield 1 - hit, (tokens, prefix - cached)

    def _usd(self, tokens: Tokens, written: int) -> Fraction:
        inputs, cached, outputs, reasoning = tokens
        usage = {
            "input_tokens": inputs,
            "cache_read_tokens": cached,
            "cache_write_tokens": written,
            "output_tokens": outputs,
            "output_reasoning_tokens": reasoning,
        }
        cost = request_cost(self._book, self._price.model, usage, tier=self._price.tier)
        return Fraction(cost.total_usd)


def prompt_costs(option: AnswerOption, attempts: Attempts, book: PriceBook) -> PromptCosts:
    """Return what the requests of an option cost.

    A failed request without a usage costs nothing by the token. Raises Invalid for another answer without a usage, and
    for a model or a tier that the price book does not have.
    """
    price = option.price
    if not price.model:
        return PromptCosts(price, dict.fromkeys(attempts.by_prompt, Fraction(0)), 0, 0)
    prices = RequestPrices(book, price, option.prefix)
    tokens = {name: [_tokens(each, option.name) for each in group] for name, group in attempts.by_prompt.items()}
    usd = {name: _mean([prices.of(each) for each in group]) for name, group in tokens.items()}
    every = [each for group in tokens.values() for each in group]
    return PromptCosts(price, usd, sum(each[1] for each in every), sum(each[0] for each in every))


def _mean(amounts: Sequence[Fraction]) -> Fraction:
    return sum(amounts, Fraction(0)) / len(amounts)


def _tokens(scored: Scored, name: str) -> Tokens:
    answer: PromptAnswer = scored.answer
    usage = answer.usage or TokenUsage()
    if usage.input_tokens is None or usage.output_tokens is None:
        if scored.outcome is Outcome.ERROR:
            return (0, 0, 0, 0)
        text = (
            f"The answer of {name} to the prompt {answer.id!r} has no usage with input_tokens and output_tokens, so "
            "its cost is unknown; record the usage, or give usd_per_request."
        )
        raise Invalid(text, code="answers_usage", field="answers")
    return (usage.input_tokens, usage.cached_tokens or 0, usage.output_tokens, usage.reasoning_tokens or 0)
