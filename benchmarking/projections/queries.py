"""Reads of cost projections: calculate one, find one by its token, recalculate one at today's prices."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from benchmarking.prices.queries import price_book, price_book_for
from benchmarking.projections.domain.projection_table import Move, moves_of, price_use
from benchmarking.projections.models import CostProjection
from governance.site.domain.memory import Recent
from weighbridge.charts.drawing import Chart, in_both_themes, svg
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid, NotFound
from weighbridge.costs.changes import changes
from weighbridge.costs.projection import project
from weighbridge.costs.projection_document import as_document
from weighbridge.costs.spec.spec_file import read_spec
from weighbridge.costs.value.quarter_draws import QuarterDraws, quarter_draws
from weighbridge.tradeoff.charts.costs import cost_bands, cost_crossover, tornado

RECENT, KEPT_DRAWS = 30, 256
_DRAWS: Recent[tuple[object, ...], tuple[QuarterDraws, ...]] = Recent(most=KEPT_DRAWS)
"""Draws of this process by all that they depend on."""


@dataclass(frozen=True)
class ProjectionReplay:
    """A kept projection recalculated at another day's prices: the changes, and the new document."""

    as_of: date
    changes: Mapping[str, Any]
    document: Mapping[str, Any]

    @property
    def prices(self) -> list[Mapping[str, Any]]:
        """The changed prices: old and new value, each with its date, and its `use` in words."""
        titles = [option["title"] for option in self.document["options"]]
        return [move | {"use": price_use(move["item"], titles=titles)} for move in self.changes["prices"]]

    @property
    def metrics(self) -> tuple[Move, ...]:
        """The changed metrics."""
        return moves_of(self.changes, self.document)


def projected(spec: Mapping[str, Any], *, on: date) -> dict[str, Any]:
    """Return the projection of a spec at the prices of a day; Invalid names the invalid field."""
    return as_document(project(read_spec(spec, price_book(on))))


def quarter_draws_again(
    projection: CostProjection, *, seed: int, draws: int, contents: tuple[str, ...]
) -> tuple[QuarterDraws, ...]:
    """Return the draws of a projection at the prices of the day on which it was kept; Invalid if they are gone.

    `contents` are the published sources of prices, which a caller reads once for many projections.
    """
    spec, on = projection.spec, projection.kept_at.date()
    key = (digest_of(spec), on, digest_of(contents), seed, draws)
    found = _DRAWS.get(key)
    if found is None:
        # Of managed models, only prices that the spec may ask for are read.
        book = price_book_for(on, contents=contents, skus=frozenset(_texts_in(spec)))
        found = quarter_draws(read_spec(spec, book), seed=seed, draws=draws)
        _DRAWS.keep(key, found)
    return found


def _texts_in(document: object) -> Iterator[str]:
    """Every text in a document of JSON, as a spec reads it, but for the names of its fields."""
    if isinstance(document, str):
        yield document.strip()
    elif isinstance(document, Mapping | list):
        for part in document.values() if isinstance(document, Mapping) else document:
            yield from _texts_in(part)


def find(token: str) -> CostProjection:
    """Return the projection with this token; raises NotFound if there is none."""
    row = CostProjection.objects.select_related("kept_by").filter(token=token).first()
    if row is None:
        raise NotFound("There is no such projection; check the link.")
    return row


def kept_by(user_id: int) -> list[CostProjection]:
    """Return the projections a person kept, latest first."""
    return list(CostProjection.objects.filter(kept_by_id=user_id).order_by("-pk")[:RECENT])


def picture(row: CostProjection, *, name: str) -> str:
    """Return a chart of a kept projection as SVG: `bands`, `crossover`, or `moves-` and the index of an option.

    Raises NotFound for any other name, and if there is no data to draw.
    """
    options = row.document["options"]
    drawings: dict[str, Callable[[], Chart]] = {
        "bands": lambda: cost_bands(row.document),
        "crossover": lambda: cost_crossover(row.document),
        **{f"moves-{index}": partial(tornado, option) for index, option in enumerate(options)},
    }
    try:
        return in_both_themes(svg(drawings[name]()))
    except (KeyError, Invalid) as error:
        raise NotFound(f"This projection has no chart {name!r}.") from error


def replay(row: CostProjection, *, now: datetime) -> ProjectionReplay:
    """Recalculate a projection at today's prices. Outdated prices are accepted and shown with their dates."""
    spec = {**row.spec, "max_price_age_days": max(_age_days(row, now), row.spec.get("max_price_age_days", 0))}
    document = projected(spec, on=now.date())
    return ProjectionReplay(now.date(), changes(row.document, document), document)


def _age_days(row: CostProjection, now: datetime) -> int:
    """Return the age of the oldest pinned price, plus one year for prices in the book that are even older."""
    oldest = min((date.fromisoformat(pin["as_of"]) for pin in row.document["prices"]), default=now.date())
    return max((now.date() - oldest).days, 0) + 365
