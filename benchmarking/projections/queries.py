"""Reads of cost projections: made anew at the prices of a day, found by their token, set beside today's prices."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from benchmarking.prices.queries import price_book
from benchmarking.projections.domain.projection_table import Move, moves_of
from benchmarking.projections.models import CostProjection
from weighbridge.charts.drawing import Chart, in_both_themes, svg
from weighbridge.core.errors import Invalid, NotFound
from weighbridge.costs.changes import changes
from weighbridge.costs.projection import project
from weighbridge.costs.projection_document import as_document
from weighbridge.costs.spec.spec_file import read_spec
from weighbridge.tradeoff.charts.costs import cost_bands, cost_crossover, tornado

RECENT = 30


@dataclass(frozen=True)
class ProjectionReplay:
    """A kept projection made again at another day's prices: what moved, and the document of that day."""

    as_of: date
    changes: Mapping[str, Any]
    document: Mapping[str, Any]

    @property
    def prices(self) -> list[Mapping[str, Any]]:
        """The prices that moved, then and now with their days."""
        return list(self.changes["prices"])

    @property
    def metrics(self) -> tuple[Move, ...]:
        """What that does to the metrics."""
        return moves_of(self.changes, self.document)


def projected(spec: Mapping[str, Any], *, on: date) -> dict[str, Any]:
    """The projection of a spec at the prices of a day; Invalid names the field at fault."""
    return as_document(project(read_spec(spec, price_book(on))))


def find(token: str) -> CostProjection:
    """The projection somebody passed the link of; NotFound where there is none."""
    row = CostProjection.objects.select_related("kept_by").filter(token=token).first()
    if row is None:
        raise NotFound("There is no such projection; check the link.")
    return row


def kept_by(user_id: int) -> list[CostProjection]:
    """The projections a person kept, latest first."""
    return list(CostProjection.objects.filter(kept_by_id=user_id).order_by("-pk")[:RECENT])


def picture(row: CostProjection, *, name: str) -> str:
    """A chart of a kept projection as SVG: `bands`, `crossover`, or `moves-` and the place of an option.

    NotFound for any other name, and where there is nothing to draw.
    """
    options = row.document["options"]
    drawings: dict[str, Callable[[], Chart]] = {
        "bands": lambda: cost_bands(row.document),
        "crossover": lambda: cost_crossover(row.document),
        **{f"moves-{place}": partial(tornado, option) for place, option in enumerate(options)},
    }
    try:
        return in_both_themes(svg(drawings[name]()))
    except (KeyError, Invalid) as error:
        raise NotFound(f"This projection has no chart {name!r}.") from error


def replay(row: CostProjection, *, now: datetime) -> ProjectionReplay:
    """The projection at today's prices; prices that are too old by now are taken all the same, and shown with their
    day.
    """
    spec = {**row.spec, "max_price_age_days": max(_age_days(row, now), row.spec.get("max_price_age_days", 0))}
    document = projected(spec, on=now.date())
    return ProjectionReplay(now.date(), changes(row.document, document), document)


def _age_days(row: CostProjection, now: datetime) -> int:
    """How old the oldest pinned price is now, with a year to spare for those of the book that are older still."""
    oldest = min((date.fromisoformat(pin["as_of"]) for pin in row.document["prices"]), default=now.date())
    return max((now.date() - oldest).days, 0) + 365
