"""Generate the page of the cost spec file from the dataclasses of its parts."""

import dataclasses
import typing
from collections.abc import Iterator
from typing import Any

from config.reference.tables import code, page, table
from weighbridge.costs.metrics import ANSWER_METRICS, METRICS
from weighbridge.costs.parts.lock_in import LockIn, Scores
from weighbridge.costs.parts.ownership import Ownership
from weighbridge.costs.parts.time_model import TimeModel
from weighbridge.costs.parts.traffic import TrafficTier
from weighbridge.costs.parts.training import Training
from weighbridge.costs.parts.usage import ModelPrices
from weighbridge.costs.parts.work import OwnedHardware
from weighbridge.costs.spec.spec_file import GIVEN, SERVING, WORK
from weighbridge.costs.uncertainty import Bounds
from weighbridge.costs.value.accepted_answers import AnswerChecks
from weighbridge.costs.value.answer_quality import QUALITY, STAKES

HEAD = ("Key", "Value", "Default")
TOP = (
    ("name", "text", "required"),
    ("currency", "`USD`", "USD"),
    ("seed", "a whole number", "20260101"),
    ("draws", "a whole number, 100 to 100,000", "10000"),
    ("max_price_age_days", "older prices are refused", "180"),
    (
        "load",
        "`requests_per_year`, `day_swing`, `weekend`, `peak_hour`, `monthly_growth`; or `hourly_counts`",
        "required",
    ),
    ("people", "`engineer_usd_per_h`, `fte_usd`: the same for every option", "0"),
    ("horizon", "`years`, `discount_rate`, `volume_growth`, `start_month` (see its section)", "3, 0.08, 0, 1"),
    ("options", "1 to 12 options, each with `id`, `title` and the parts below", "required"),
    ("value", "`baseline` (an option's id), `adoption`, `stakes`", "no value model"),
    ("thresholds", "a list of `metric` and `above`", "none"),
    ("kpis", "a list of `kpi`, `metric`, `target`, `unit`, `better`, `owner`, `data_source`, `effect`", "none"),
)
INTRODUCTION = """\
`weighbridge cost template` prints an example. A number is a number or a range, `[low, high]`, that contains it with
a probability of 90 %. A range above zero is drawn as a lognormal, a range from zero or below as a normal; no draw
leaves what the key accepts. How to use it: [Project costs](../how-to/project-costs.md)."""
PRICES = """\
`prices` of a managed model is `{sku: openai/gpt-4o-mini}`, with `term` and `factor`: all prices of the model, batch
prices included. Every other price is `{sku: …}`, with `term` and `meter` if the book has several, or
`{usd: …, unit: …, as_of: …, source: …}`.
Both may add `factor` (a number or a range) and `divided_by`. If a GPU price is
required, the price of a machine SKU is divided by its number of GPUs. Egress has tiers: `egress_tiers` is a list of
tiers, or an egress SKU, `{sku: aws/us-east-1/egress-internet}`, with `factor`."""
NAMES = {int: "a whole number", float: "a number", str: "text"}


def cost_spec() -> str:
    """The page text."""
    parts = [
        INTRODUCTION,
        table(HEAD, ((code(name), holds, absent) for name, holds, absent in TOP)),
        "## Prices",
        PRICES,
    ]
    parts += _section("horizon", TimeModel)
    single = (
        ("training", Training),
        ("owned_hardware", OwnedHardware),
        ("ownership", Ownership),
        ("lock_in", LockIn),
        ("acceptance", AnswerChecks),
    )
    parts += [part for name, kind in single for part in _section(f"options[].{name}", kind)]
    for key, kinds in (("work", WORK), ("serving", SERVING), ("quality", QUALITY)):
        parts += [part for name, kind in kinds.items() for part in _section(f"options[].{key}, kind: {name}", kind)]
    parts += [part for name, kind in STAKES.items() for part in _section(f"value.stakes, kind: {name}", kind)]
    inner = (("prices", ModelPrices), ("scores", Scores), ("egress_tiers[]", TrafficTier))
    parts += [part for name, kind in inner for part in _section(name, kind)]
    rows = ((code(name), kind.unit, kind.meaning) for name, kind in {**METRICS, **ANSWER_METRICS}.items())
    return page("Cost spec", *parts, "## Metrics", table(("Metric", "Unit", "Meaning"), rows))


def _section(title: str, kind: Any) -> Iterator[str]:
    yield f"## {title}"
    yield " ".join((kind.__doc__ or "").split())
    yield table(HEAD, _rows(kind))


def _rows(kind: Any) -> Iterator[tuple[str, str, str]]:
    hints = typing.get_type_hints(kind, include_extras=True)
    for field in dataclasses.fields(kind):
        if field.name not in GIVEN.get(kind, {}):
            is_needed = field.default is dataclasses.MISSING
            default = "required" if is_needed else "none" if field.default in (None, "", ()) else str(field.default)
            yield code(field.name), _holds(hints[field.name]), default


def _holds(hint: Any) -> str:
    inner = [argument for argument in typing.get_args(hint) if argument is not type(None)]
    if type(None) in typing.get_args(hint):
        return _holds(inner[0])
    if typing.get_origin(hint) is tuple:
        return f"a list of {inner[0].__name__.lower()}s"
    if typing.get_origin(hint) is typing.Annotated:
        return f"{inner[1].accepted}, or a range" if isinstance(inner[1], Bounds) else f"a price per {inner[1]}"
    return NAMES.get(hint) or ("a day" if hint.__name__ == "date" else f"{hint.__name__} (see its section)")
