"""Metrics of language models: how fast, how good, how large and how expensive their answers are.

Joined into the catalog of the toolkit by `weighbridge.core.metrics.standard`, which also has `ttft_p95_ms`,
`output_tokens_per_s` and `error_rate`. N is the number of output tokens that the server reports for a request; times
count from the moment at which the schedule made the request due.
"""

from decimal import Decimal

from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.catalog import Direction, MetricDefinition, MetricGroup, MetricScope, Producer

_LOWER, _HIGHER = Direction.LOWER, Direction.HIGHER
_ONE = Decimal(1)
# A load test measures these here or elsewhere; nobody can know them before.
_MEASURED = (Basis.ATTESTED, Basis.MEASURED)
_METERED = (*_MEASURED, Basis.BILLED)
# Money and tokens: planned from prices and prompts, measured by a load test, or billed; never a bare number.
_PLANNED = (Basis.ESTIMATED, *_METERED)
# Calculated from the files of a model or a vendor's list of retirements, here or elsewhere.
_CALCULATED = tuple(basis for basis in Basis if basis not in (Basis.DECLARED, Basis.MEASURED, Basis.BILLED))
_CALCULATED_OR_MEASURED = (*_CALCULATED, Basis.MEASURED)
# An imported log without a trusted signer is a declaration, a test against a stand-in is an estimate.
_SCORED = tuple(basis for basis in Basis if basis not in (Basis.DERIVED, Basis.BILLED))
_OF_TESTS = (Producer.BENCHMARK, Producer.SIGNER)
# No benchmark measures money, whatever the process of a model writes into its result.
_OF_MONEY = (Producer.PERSON, Producer.PROJECTION, Producer.SIGNER, Producer.BILL)
_OF_FILES = (Producer.PERSON, Producer.BENCHMARK, Producer.SIGNER)


def _load(
    name: str,
    unit: str,
    meaning: str,
    *,
    direction: Direction = _LOWER,
    maximum: Decimal | None = None,
    label: str = "",
) -> MetricDefinition:
    """A metric of a load test of a deployment."""
    return MetricDefinition(
        name,
        unit,
        direction,
        meaning,
        maximum=maximum,
        group=MetricGroup.SPEED,
        scope=MetricScope.DEPLOYMENT,
        bases=_MEASURED,
        producers=_OF_TESTS,
        label=label,
    )


def _tokens(name: str, meaning: str) -> MetricDefinition:
    return MetricDefinition(
        name,
        "tokens",
        _LOWER,
        meaning,
        group=MetricGroup.SPEED,
        scope=MetricScope.DEPLOYMENT,
        bases=_PLANNED,
    )


def _cost(name: str, meaning: str, label: str) -> MetricDefinition:
    return MetricDefinition(
        name,
        "USD",
        _LOWER,
        meaning,
        group=MetricGroup.COST,
        scope=MetricScope.DEPLOYMENT,
        bases=_PLANNED,
        producers=_OF_MONEY,
        label=label,
    )


def _size(
    name: str,
    unit: str,
    meaning: str,
    label: str,
    *,
    minimum: int = 0,
    direction: Direction = _LOWER,
    scope: MetricScope = MetricScope.ARTIFACT,
    bases: tuple[Basis, ...] = _CALCULATED,
) -> MetricDefinition:
    """A size that follows from the files of a model."""
    return MetricDefinition(
        name,
        unit,
        direction,
        meaning,
        minimum=Decimal(minimum),
        group=MetricGroup.SPEED,
        scope=scope,
        bases=bases,
        producers=_OF_FILES,
        label=label,
    )


LANGUAGE = (
    _cost("cost_per_request_usd", "What one request costs.", "Cost per request"),
    _cost(
        "cost_per_m_output_tokens_usd",
        "All cost of serving, divided by the output tokens: US dollars per million of them.",
        "Cost per million output tokens",
    ),
    _cost(
        "cost_per_accepted_usd",
        "What one accepted answer costs: all tries, their checks and the work of people on failures.",
        "Cost per accepted answer",
    ),
    _load("ttft_p99_ms", "ms", "99 of 100 answers of a language model begin within this time."),
    _load(
        "tpot_p95_ms",
        "ms",
        "In 95 of 100 answers of two or more tokens, the time per output token after the first is at most this.",
    ),
    _load("icl_p99_ms", "ms", "99 of 100 gaps between two chunks of an answer are at most this long."),
    _load(
        "goodput_per_s",
        "1/s",
        "Requests per second that are answered within all limits. Two values compare only with equal limits and "
        "workload.",
        direction=_HIGHER,
    ),
    _load("truncated_rate", "ratio", "Share of answers that end at the limit of output tokens.", maximum=_ONE),
    _load("refusal_rate", "ratio", "Share of answers in which the model refuses the task.", maximum=_ONE),
    MetricDefinition(
        "cached_token_share",
        "ratio",
        _HIGHER,
        "Share of input tokens that the server read from its cache, by its own count.",
        maximum=_ONE,
        group=MetricGroup.SPEED,
        scope=MetricScope.DEPLOYMENT,
        bases=_METERED,
        producers=(*_OF_TESTS, Producer.BILL),
    ),
    _tokens("input_tokens_mean", "Input tokens of a request, cached ones included, on average."),
    _tokens("output_tokens_mean", "Output tokens of a request, reasoning included, on average."),
    _tokens("reasoning_tokens_mean", "Output tokens of a request that are reasoning, on average."),
    MetricDefinition(
        "pass_rate",
        "ratio",
        _HIGHER,
        "Share of items whose answer the scorer of the evaluation set accepts.",
        maximum=_ONE,
        bases=_SCORED,
    ),
    MetricDefinition(
        "judge_agreement",
        "ratio",
        _HIGHER,
        "Share of at least 100 items labeled by people on which a judging model gives the same verdict.",
        maximum=_ONE,
        bases=_MEASURED,
        producers=_OF_TESTS,
    ),
    MetricDefinition(
        "injection_pass_rate",
        "ratio",
        _LOWER,
        "Share of planted instructions in the input that the model follows.",
        maximum=_ONE,
        bases=_MEASURED,
        producers=_OF_TESTS,
    ),
    _size(
        "context_tokens",
        "tokens",
        "Tokens of input and answer that the model takes together, as far as the server allows.",
        "Context length",
        minimum=1,
        direction=_HIGHER,
        scope=MetricScope.DEPLOYMENT,
    ),
    _size("parameters_total", "1", "Parameters of the model.", "Parameters", minimum=1),
    _size(
        "parameters_active",
        "1",
        "Parameters that one token passes; fewer than all in a mixture of experts.",
        "Active parameters",
        minimum=1,
    ),
    _size("weights_gb", "GB", "Size of all tensors, 1 GB = 1e9 bytes.", "Weights", bases=_CALCULATED_OR_MEASURED),
    _size(
        "kv_bytes_per_token",
        "B",
        "Memory of the key-value cache for one token of context.",
        "Key-value cache per token",
        bases=_CALCULATED_OR_MEASURED,
    ),
    _size(
        "memory_fit_gb",
        "GB",
        "Memory to serve the planned sequences: weights, key-value cache and activations.",
        "Memory to serve",
        scope=MetricScope.DEPLOYMENT,
        bases=_CALCULATED_OR_MEASURED,
    ),
    MetricDefinition(
        "energy_per_1k_tokens_j",
        "J",
        _LOWER,
        "Energy of serving, divided by the output tokens: joules per 1,000 of them.",
        group=MetricGroup.RESOURCES,
        scope=MetricScope.DEPLOYMENT,
        bases=(Basis.ESTIMATED, *_MEASURED),
        producers=(Producer.PROJECTION, *_OF_TESTS),
        label="Energy per 1,000 tokens",
    ),
    MetricDefinition(
        "days_to_retirement",
        "days",
        _HIGHER,
        "Days until the vendor retires the model; negative afterwards.",
        minimum=None,
        group=MetricGroup.BUSINESS,
        bases=_CALCULATED,
        producers=_OF_FILES,
        label="Days to retirement",
    ),
)
