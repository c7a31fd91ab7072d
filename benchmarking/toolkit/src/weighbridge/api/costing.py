"""`project_costs`: options side by side on one load curve; `fit`: the memory and accelerators of a language model."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from weighbridge.api.documents import PathLike, Source, document_of, read_yaml
from weighbridge.api.results import Result, Row
from weighbridge.cli.tables.cost_table import projection_parts
from weighbridge.cli.tables.fit_table import fit_parts
from weighbridge.core.extras import require_extra
from weighbridge.costs.prices.book_options import book_of
from weighbridge.costs.projection import project
from weighbridge.costs.projection_document import as_document
from weighbridge.costs.spec.spec_file import read_spec
from weighbridge.subjects.deployment.cards import cards_named
from weighbridge.subjects.deployment.fit_document import fit_document
from weighbridge.subjects.deployment.memory import Serving
from weighbridge.subjects.deployment.model_source import read_model
from weighbridge.tradeoff.sheets.cost_page import publish_costs


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
    book = book_of([Path(each) for each in lists], _path(rates), _path(fx), str(on) if on is not None else None)
    given = read_yaml(source) if isinstance(source, Path) else source
    document = as_document(project(read_spec(given, book), seed=seed, draws=draws))
    missing = publish_costs(document, Path(out)) if out is not None else None
    return Result(
        document,
        tuple(_rows(document)),
        lambda: projection_parts(document),
        remarks=(missing,) if missing is not None else (),
    )


def _path(path: PathLike | None) -> Path | None:
    return Path(path) if path is not None else None


def _rows(document: Mapping[str, Any]) -> Iterator[Row]:
    for option in document["options"]:
        for name, metric in option["metrics"].items():
            yield {"option": option["title"], "metric": name, **metric}


def fit(
    model: PathLike,
    *,
    context: int | None = None,
    sequences: int = 1,
    cache_bits: int = 16,
    accelerators: Sequence[str] = (),
    tensor_parallel: int = 1,
) -> Result:
    """Derive the memory of a language model from its files, and the accelerators that it fits on.

    `model` is a `config.json` of Hugging Face, a folder with one, or a GGUF file. Each of `sequences` has `context`
    tokens: 4,096 if left out, or what the model was made for if that is less. `accelerators` are names like h100; all
    that are known if left out. The need on each accelerator is weights / `tensor_parallel`, the cache at `cache_bits`
    bits in blocks of 16 tokens, and 1 GiB for activations; it fits in 90 % of the memory that the driver reports.

    The result is a `weighbridge.fit/1` document. `to_pandas()` has a row for each accelerator, with the most sequences
    and tokens, and the least time per token and to the first token by bandwidth and peak. Raises Invalid for a file
    that is no model, a key that is missing, and an unknown accelerator.
    """
    cards = cards_named(accelerators)
    serving = Serving(tensor_parallel=tensor_parallel, cache_bits=cache_bits)
    document = fit_document(read_model(Path(model)), cards, serving, context=context, sequences=sequences)
    return Result(document, tuple(document["accelerators"]), lambda: fit_parts(document))
