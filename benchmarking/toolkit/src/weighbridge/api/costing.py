"""Costs: options side by side on one load curve, one request to a model, accepted answers, own servers or an API."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from weighbridge.api.documents import PathLike, Source, document_of, read_source, read_yaml
from weighbridge.api.results import Result, Row
from weighbridge.cli.tables.cost_table import projection_parts
from weighbridge.cli.tables.language.cost_table import accepted_parts, own_or_api_parts, request_parts
from weighbridge.core.errors import Invalid
from weighbridge.core.extras import require_extra
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.prices.book_options import book_of
from weighbridge.costs.projection import project
from weighbridge.costs.projection_document import as_document
from weighbridge.costs.spec.spec_file import read_spec
from weighbridge.costs.uncertainty import DRAWS, SEED
from weighbridge.costs.value.accepted_options import accepted_document
from weighbridge.costs.value.own_or_api_document import own_or_api_document
from weighbridge.costs.value.request_cost import request_cost
from weighbridge.costs.value.runs_file import read_runs
from weighbridge.tradeoff.sheets.cost_page import publish_costs

NO_FILES: Mapping[str, PathLike] = {}


def project_costs(
    spec: Source,
    *,
    seed: int | None = None,
    draws: int | None = None,
    lists: Sequence[PathLike] = (),
    rates: PathLike | None = None,
    fx: PathLike | None = None,
    on: str | date | None = None,
    out: PathLike | None = None,
) -> Result:
    """Project the costs of options: training, a year of serving, ownership, exit, and the value of their answers.

    `spec` is a YAML file as printed by `weighbridge cost template`, or its mapping. Prices are those of the shipped
    price book on the day `on` (default: today), of additional `lists`, and of negotiated `rates`; `fx` has dated
    exchange rates. `out` is a folder for the page (HTML, Markdown, PDF) and its charts.

    Each input with a 90 % range is drawn `draws` times from `seed`: a lognormal if the range is above zero, else a
    normal within what the input can be. Replicas follow from Erlang's queue (M/M/c, and M/G/c by Allen & Cunneen), or
    from measured tokens per second. Money is in US dollars; totals are sums of their rounded lines.

    The result is a `weighbridge.projection/1` document; each metric has P10, P50, P80 and P90. `to_pandas()` has a row
    for each option's metric. Raises Invalid with the path of the invalid key, ExtraMissing if `out` needs charts.
    """
    if out is not None:
        require_extra("charts")
    source = document_of(spec)
    book = price_book(lists, rates, fx, on)
    given = read_yaml(source) if isinstance(source, Path) else source
    document = as_document(project(read_spec(given, book), seed=seed, draws=draws))
    missing = publish_costs(document, Path(out)) if out is not None else None
    return Result(
        document,
        tuple(_rows(document)),
        lambda: projection_parts(document),
        remarks=(missing,) if missing is not None else (),
    )


def price_request(
    model: str,
    usage: Mapping[str, int],
    *,
    tier: str = "standard",
    lists: Sequence[PathLike] = (),
    rates: PathLike | None = None,
    fx: PathLike | None = None,
    on: str | date | None = None,
) -> Result:
    """Calculate the exact cost of one request to a managed model, like `openai/gpt-5-mini`, at the prices of a day.

    `usage` counts as vendors do: `input_tokens` include `cache_read_tokens`, `cache_write_tokens` and
    `cache_write_1h_tokens`, `output_tokens` include `output_reasoning_tokens`. `tier` is standard, batch, flex,
    priority or fast.

    The result is a `weighbridge.request-cost/1` document with a line for each component: count, price, its source and
    day, formula and amount in US dollars as text. `to_pandas()` has a row for each line. Raises Invalid for an unknown
    model or tier, and for a count without a price.
    """
    found = request_cost(price_book(lists, rates, fx, on), model, usage, tier=tier)
    return Result(found.as_document(), tuple(found.rows), lambda: request_parts(found))


def own_or_api(  # noqa: PLR0913 -- the options of the command line
    inputs: Source,
    *,
    volumes_per_h: Sequence[float] = (),
    measured: Source | None = None,
    seed: int = SEED,
    draws: int = DRAWS,
    lists: Sequence[PathLike] = (),
    rates: PathLike | None = None,
    fx: PathLike | None = None,
    on: str | date | None = None,
) -> Result:
    """Compare an own server with an API: US dollars per request and per million tokens, and the break-even volume.

    `inputs` is a mapping with `own` (`usd_per_replica_h`, the measured `goodput_per_s`, `utilization`) and `api`
    (`prices`, tokens), or a YAML file of it; each number may be a 90 % range, `[low, high]`. `volumes_per_h` are the
    requests per hour at which the two are compared. `measured` is the result of a load test, or its file, whose
    `goodput_per_s` is that of the own server.

    The result is a `weighbridge.own-or-api/1` document. `to_pandas()` has a row for each volume. Raises Invalid with
    the path of a fault.
    """
    book = price_book(lists, rates, fx, on)
    result = None if measured is None else read_source(measured)
    found = own_or_api_document(
        _inputs(inputs), book, volumes_per_h=volumes_per_h, measured=result, seed=seed, draws=draws
    )
    return Result(found, tuple(map(_volume_row, found["volumes"])), lambda: own_or_api_parts(found))


def _volume_row(volume: Mapping[str, Any]) -> Row:
    middles = {name: value["middle"] if isinstance(value, Mapping) else value for name, value in volume.items()}
    return dict(middles)


def accepted_answers(  # noqa: PLR0913 -- the options of the command line
    inputs: Source,
    *,
    runs: Mapping[str, PathLike] = NO_FILES,
    failure_usd: Sequence[float] = (),
    seed: int = SEED,
    draws: int = DRAWS,
    lists: Sequence[PathLike] = (),
    rates: PathLike | None = None,
    fx: PathLike | None = None,
    on: str | date | None = None,
) -> Result:
    """Compare options by the cost of an accepted answer: tries, checks, and a person where no try is accepted.

    `inputs` is a mapping with `options` by name, or a YAML file of it. An option has what a try costs (`usd_per_try`,
    `call` or `own`), its `pass_rate` (or `passed` of `items`), `tries`, what a check costs and how often it errs, and
    `fallback_usd`. `runs` are files of repeated runs by option, for tries that are not independent. `failure_usd` are
    the costs of an unanswered task at which the options are compared.

    The result is a `weighbridge.accepted/1` document. `to_pandas()` has a row for each option's metric. Raises Invalid
    with the path of a fault.
    """
    found = accepted_document(
        _inputs(inputs),
        price_book(lists, rates, fx, on),
        runs={name: read_runs(Path(file)) for name, file in runs.items()},
        failure_usd=failure_usd,
        seed=seed,
        draws=draws,
    )
    return Result(found, tuple(_accepted_rows(found)), lambda: accepted_parts(found))


def _accepted_rows(document: Mapping[str, Any]) -> Iterator[Row]:
    for option in document["options"]:
        for name, metric in option["metrics"].items():
            yield {"option": option["name"], "metric": name, **metric}


def _inputs(source: Source) -> Mapping[str, Any]:
    """Return the mapping, or that of a YAML file."""
    found = document_of(source)
    given = read_yaml(found) if isinstance(found, Path) else found
    if not isinstance(given, Mapping):
        raise Invalid(f"{found} must be a mapping of names to values.", field="file")
    return given


def price_book(
    lists: Sequence[PathLike], rates: PathLike | None, fx: PathLike | None, on: str | date | None
) -> PriceBook:
    """Return the shipped prices of a day with additional lists, negotiated rates and exchange rates; raise Invalid."""
    return book_of([Path(each) for each in lists], _path(rates), _path(fx), str(on) if on is not None else None)


def _path(path: PathLike | None) -> Path | None:
    return Path(path) if path is not None else None


def _rows(document: Mapping[str, Any]) -> Iterator[Row]:
    for option in document["options"]:
        for name, metric in option["metrics"].items():
            yield {"option": option["title"], "metric": name, **metric}
