"""The file that names a language model, its cheaper alternatives, their answers to the same prompts, and their prices.

    prompts: prompts.jsonl
    margin: 0.02                 # the loss of the pass rate that does not matter
    fallback_usd: 0.40           # what a person costs who answers where the model fails
    baseline: {name: large, answers: large.jsonl, model: openai/gpt-5}
    alternatives:
      - {name: small, kind: smaller_model, answers: small.jsonl, model: openai/gpt-5-mini}
      - {name: batch, kind: batch_tier}
      - {name: own, kind: quantized, answers: gguf.jsonl, usd_per_request: [0.0004, 0.0009]}
      - {name: both, kind: cascade, first: small, then: large, confidence: small-confidence.jsonl}

Paths are relative to the file.
"""

import dataclasses
import math
from pathlib import Path

from weighbridge.core.documents import Reader, check_unique
from weighbridge.core.errors import Invalid
from weighbridge.costs.uncertainty import Range
from weighbridge.tradeoff.candidates import AlternativeKind

ALTERNATIVES_MAX, TOKENS_MAX, NAME_CHARS_MAX = 12, 100_000_000, 80
SHARING = (AlternativeKind.BATCH_TIER, AlternativeKind.PROMPT_CACHE)
"""The kinds that leave the answers as they are."""
BATCH = "batch"


@dataclasses.dataclass(frozen=True, kw_only=True)
class RequestPrice:
    """What a request costs: by its usage at the prices of a `model` and a tier, or the amount `usd`, a number or range.

    `once_usd`, such as that of a fine-tuning, is spread over `requests`.
    """

    model: str = ""
    tier: str = "standard"
    usd: float | Range | None = None
    once_usd: float = 0.0
    requests: int = 1

    @property
    def once_per_request(self) -> float:
        """The part of a request in what is paid once."""
        return self.once_usd / self.requests


@dataclasses.dataclass(frozen=True)
class SharedPrefix:
    """The first `tokens` of every prompt, which are the same and in the cache in a share of the requests."""

    tokens: int
    hit_share: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class AnswerOption:
    """One way to get answers. Without `answers`, they are those of the baseline; `kind` is None for the baseline.

    A cascade has the names of two options and the file of the confidence of the first, None for the agreement of its
    attempts; `confidence_usd` is what the confidence of an answer costs.
    """

    name: str
    kind: AlternativeKind | None = None
    answers: Path | None = None
    price: RequestPrice = RequestPrice()
    prefix: SharedPrefix | None = None
    first: str = ""
    then: str = ""
    confidence: Path | None = None
    confidence_usd: float = 0.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class AnswerComparison:
    """The prompts, the margin of the pass rate, what a check of an answer and a person cost, and the options."""

    prompts: Path
    margin: float
    check_usd: float
    fallback_usd: float | None
    baseline: AnswerOption
    alternatives: tuple[AnswerOption, ...]


def plan_from(document: object, folder: Path) -> AnswerComparison:
    """Read the plan in a document, with paths relative to a folder; raise Invalid with the path of a fault."""
    reader = Reader(document)
    baseline = _baseline(reader.mapping("baseline"), folder)
    plan = AnswerComparison(
        prompts=folder / reader.text("prompts"),
        margin=_number(reader, "margin"),
        check_usd=_amount(reader, "check_usd"),
        fallback_usd=_amount(reader, "fallback_usd") if reader.asks("fallback_usd") else None,
        baseline=baseline,
        alternatives=reader.items("alternatives", lambda each: _alternative(each, folder, baseline)),
    )
    reader.close()
    if not 0 < plan.margin < 1:
        raise reader.fault("margin", "must be between 0 and 1: the loss of the pass rate that does not matter.")
    if not 1 <= len(plan.alternatives) <= ALTERNATIVES_MAX:
        raise reader.fault("alternatives", f"must list 1 to {ALTERNATIVES_MAX} alternatives.")
    check_unique((baseline.name, *(each.name for each in plan.alternatives)), path="alternatives", name="name")
    _check_cascades(plan)
    return plan


def _check_cascades(plan: AnswerComparison) -> None:
    options = {each.name: each for each in (plan.baseline, *plan.alternatives)}
    for place, each in enumerate(plan.alternatives):
        if each.kind is not AlternativeKind.CASCADE:
            continue
        for key, name in (("first", each.first), ("then", each.then)):
            if name not in options or options[name].kind is AlternativeKind.CASCADE:
                text = f"alternatives[{place}].{key} must name the baseline or an alternative that is no cascade."
                raise Invalid(text, field=f"alternatives[{place}].{key}")
        if each.first == each.then:
            text = f"alternatives[{place}] asks {each.first} twice; name another model in then."
            raise Invalid(text, field=f"alternatives[{place}].then")


def _baseline(reader: Reader, folder: Path) -> AnswerOption:
    name, answers = _name(reader), folder / reader.text("answers")
    price = _price(reader, None)
    reader.close()
    return AnswerOption(name=name, answers=answers, price=price)


def _alternative(reader: Reader, folder: Path, baseline: AnswerOption) -> AnswerOption:
    name, kind = _name(reader), reader.choice("kind", AlternativeKind)
    if kind is AlternativeKind.CASCADE:
        option = _cascade(reader, folder, name, baseline)
    else:
        answers = folder / reader.text("answers") if reader.asks("answers") else None
        if answers is None and kind not in SHARING:
            raise reader.fault("answers", f"must name the file with the answers: {kind.value} changes them.")
        price = _price(reader, baseline.price if kind in SHARING else None, tier=BATCH if kind is SHARING[0] else None)
        prefix = _prefix(reader, is_needed=answers is None) if kind is AlternativeKind.PROMPT_CACHE else None
        if prefix is not None and not price.model:
            raise reader.fault("model", "must be named: a shared prefix is priced by the tokens of a model.")
        option = AnswerOption(name=name, kind=kind, answers=answers, price=price, prefix=prefix)
    reader.close()
    return option


def _cascade(reader: Reader, folder: Path, name: str, baseline: AnswerOption) -> AnswerOption:
    return AnswerOption(
        name=name,
        kind=AlternativeKind.CASCADE,
        first=reader.text("first"),
        then=reader.text("then", baseline.name),
        confidence=folder / reader.text("confidence") if reader.asks("confidence") else None,
        confidence_usd=_amount(reader, "confidence_usd"),
    )


def _name(reader: Reader) -> str:
    name = reader.text("name")
    if len(name) > NAME_CHARS_MAX:
        raise reader.fault("name", f"has more than {NAME_CHARS_MAX} characters.")
    return name


def _price(reader: Reader, inherited: RequestPrice | None, *, tier: str | None = None) -> RequestPrice:
    """Read a price; an alternative that shares the answers of the baseline may leave out what it shares."""
    has_model, has_usd = reader.asks("model"), reader.asks("usd_per_request")
    if has_model and has_usd:
        raise reader.fault("model", "or usd_per_request must be given, and not both.")
    found = RequestPrice() if inherited is None or has_model or has_usd else inherited
    if has_model:
        found = RequestPrice(model=reader.text("model"))
    if has_usd:
        found = RequestPrice(usd=_amount_or_range(reader, "usd_per_request"))
    if not found.model and found.usd is None:
        raise reader.fault("model", "or usd_per_request must be given: what a request costs.")
    if tier is not None and found.usd is not None and not has_usd:
        raise reader.fault("usd_per_request", "must be given: the baseline has no prices of a batch tier.")
    has_once = reader.asks("once_usd")
    return dataclasses.replace(
        found,
        tier=reader.text("tier", tier or found.tier),
        once_usd=_amount(reader, "once_usd") if has_once else found.once_usd,
        requests=reader.whole("requests", None if has_once else found.requests, at_least=1),
    )


def _prefix(reader: Reader, *, is_needed: bool) -> SharedPrefix | None:
    """Read the shared prefix; answers of a test with the cache have their cached tokens in their usage."""
    if not is_needed and not reader.asks("prefix_tokens"):
        return None
    tokens, share = reader.whole("prefix_tokens", at_least=1, at_most=TOKENS_MAX), _number(reader, "hit_share")
    if not 0 <= share <= 1:
        raise reader.fault("hit_share", "must be a share between 0 and 1.")
    return SharedPrefix(tokens, share)


def _number(reader: Reader, key: str) -> float:
    return float(reader.number(key))


def _amount(reader: Reader, key: str) -> float:
    if not reader.asks(key):
        return 0.0
    amount = _number(reader, key)
    if not 0 <= amount < math.inf:
        raise reader.fault(key, "must be an amount of zero or more.")
    return amount


def _amount_or_range(reader: Reader, key: str) -> float | Range:
    value = reader.plain(key)
    if not isinstance(value, list):
        return _amount(reader, key)
    ends = value if len(value) == 2 and all(type(each) in (int, float) for each in value) else []
    if not ends or not 0 <= ends[0] <= ends[1] < math.inf:
        raise reader.fault(key, "must be an amount of zero or more, or a 90 % range like [0.0004, 0.0009].")
    return Range(float(ends[0]), float(ends[1]))
