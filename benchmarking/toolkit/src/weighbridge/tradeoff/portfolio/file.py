"""The file of a portfolio: JSON of `weighbridge.portfolio/1`, read strictly.

```json
{"schema": "weighbridge.portfolio/1", "over_at_most": 0.1, "jointly": false,
 "accounts": [{"name": "search USD", "unit": "USD", "budget": 9000}],
 "models": [{"name": "search/ranker", "variants": [
   {"name": "as asked", "value": [1200, 1350, 900], "uses": {"search USD": [5200, 6100, 7000]}},
   {"name": "wait", "value": 0}]}]}
```

A number stands for the same number in every draw. The first variant of a model is the one that was asked for.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from weighbridge.core.documents import Reader
from weighbridge.core.parsing.json_text import read_json
from weighbridge.core.parsing.limits import MEASUREMENT
from weighbridge.tradeoff.portfolio.problem import (
    BudgetLimit,
    Draws,
    PortfolioModel,
    PortfolioProblem,
    PortfolioVariant,
    check_problem,
)

SCHEMA = "weighbridge.portfolio/1"


def read_portfolio(path: Path) -> PortfolioProblem:
    """Read a file; raise Invalid if it is missing, not JSON, or malformed, with the path of the invalid key."""
    return portfolio_from(read_json(path, limits=MEASUREMENT, missing="portfolio_missing", code="portfolio_unreadable"))


def portfolio_from(document: object) -> PortfolioProblem:
    """Read a document in the format above; raise Invalid with the path of the invalid key."""
    reader = Reader(document)
    reader.constant("schema", SCHEMA)
    models = reader.items("models", _model)
    draws = max((len(each) for model in models for variant in model.variants for each in _draws_of(variant)), default=1)
    problem = PortfolioProblem(
        accounts=reader.items("accounts", _account),
        models=tuple(_with_draws(model, draws) for model in models),
        over_at_most=_number(reader, "over_at_most", 0.1),
        jointly=reader.flag("jointly", False),
    )
    reader.close()
    check_problem(problem)
    return problem


def _account(reader: Reader) -> BudgetLimit:
    return BudgetLimit(
        name=reader.text("name"),
        unit=reader.text("unit", "USD"),
        budget=_number(reader, "budget"),
        usd_per_unit=_number(reader, "usd_per_unit", 1.0),
    )


def _model(reader: Reader) -> PortfolioModel:
    return PortfolioModel(name=reader.text("name"), variants=reader.items("variants", _variant))


def _variant(reader: Reader) -> PortfolioVariant:
    name, value, uses = reader.text("name"), _draws(reader, "value"), reader.mapping("uses")
    variant = PortfolioVariant(name=name, value=value, uses={each: _draws(uses, each) for each in uses.names})
    uses.close()
    return variant


def _draws(reader: Reader, key: str) -> Draws:
    """The draws under a key; a single number is one draw."""
    value = reader.plain(key)
    numbers = value if isinstance(value, list) else [value]
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in numbers):
        raise reader.fault(key, "must be a number, or a list of one number for each draw.")
    try:
        return np.array(numbers, dtype=np.float64)
    except OverflowError:
        raise reader.fault(key, "is outside the plausible range.") from None


def _number(reader: Reader, key: str, default: float | None = None) -> float:
    return default if default is not None and not reader.asks(key) else float(reader.number(key))


def _draws_of(variant: PortfolioVariant) -> tuple[Draws, ...]:
    return (variant.value, *variant.uses.values())


def _with_draws(model: PortfolioModel, draws: int) -> PortfolioModel:
    """The model with single numbers repeated in every draw."""

    def repeated(given: Draws) -> Draws:
        return np.repeat(given, draws) if len(given) == 1 else given

    variants = (
        replace(each, value=repeated(each.value), uses={name: repeated(used) for name, used in each.uses.items()})
        for each in model.variants
    )
    return replace(model, variants=tuple(variants))
