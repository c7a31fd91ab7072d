"""The document of an own server against an API, `weighbridge.own-or-api/1`."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.costs.lines import Number
from weighbridge.costs.metrics import money
from weighbridge.costs.parts.managed import managed_cost
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.projection_document import plain
from weighbridge.costs.uncertainty import DRAWS, SEED, levels_of
from weighbridge.costs.value.crossover import SCALES
from weighbridge.costs.value.drawn_inputs import (
    DrawnInputs,
    call_remarks,
    drawn_inputs,
    number_document,
    share_of,
    usd_document,
)
from weighbridge.costs.value.measured_server import measured_by, with_measured_server
from weighbridge.costs.value.own_or_api import (
    HOURS_PER_MONTH,
    BreakEven,
    OwnOrApi,
    break_even,
    cheaper_share,
    usd_per_million,
)

SCHEMA = "weighbridge.own-or-api/1"
VOLUMES_MAX, LARGEST_VOLUME = 64, 1e12
MILLION_PLACES = 4


def own_or_api_document(
    document: Mapping[str, Any],
    book: PriceBook,
    *,
    volumes_per_h: Sequence[float] = (),
    measured: Mapping[str, Any] | None = None,
    seed: int = SEED,
    draws: int = DRAWS,
) -> dict[str, Any]:
    """Return the costs of a request on an own server and from an API, and where the own server is cheaper.

    `document` has `own` and `api` with the inputs of `OwnServer` and `ManagedApi`; without `api`, only the own server
    is priced. The probabilities are at `volumes_per_h`, or else at volumes from 1/16 to 16 times the break-even (of one
    full replica if there is none). `measured` is the result of a load test, whose goodput and tokens are taken for the
    own server. Raises Invalid with the path of a fault.
    """
    _check_volumes(volumes_per_h)
    if measured is not None:
        document = with_measured_server(document, measured)
    given = drawn_inputs(OwnOrApi, document, book, path="", seed=seed, n=draws)
    middle, drawn = given.middle, given.drawn
    found = {
        "schema": SCHEMA,
        "seed": seed,
        "draws": draws,
        "measured": None if measured is None else measured_by(measured),
        "own": _own(middle, drawn),
        "api": None,
        "break_even": None,
        "volumes": [],
        **given.as_document(),
        "remarks": call_remarks("api", middle.api, given.pins, book),
        "snapshot": book.snapshot_id,
    }
    if middle.api is not None and drawn.api is not None:
        found |= _against(given, managed_cost(middle.api).total_usd, managed_cost(drawn.api).total_usd, volumes_per_h)
    return dict(plain(found))


def _check_volumes(volumes_per_h: Sequence[float]) -> None:
    is_within = all(0 < volume <= LARGEST_VOLUME for volume in volumes_per_h)
    if len(volumes_per_h) > VOLUMES_MAX or not is_within:
        text = f"Give at most {VOLUMES_MAX} volumes, each above 0 and at most {LARGEST_VOLUME:.0e} requests an hour."
        raise Invalid(text, field="volumes")


def _own(middle: OwnOrApi, drawn: OwnOrApi) -> dict[str, Any]:
    """The costs of the own server; each figure names the tokens that divide it."""
    usd, drawn_usd = middle.own.usd_per_request, drawn.own.usd_per_request

    def per_million(tokens: Number, drawn_tokens: Number, divisor: str) -> dict[str, Any]:
        amounts = usd_per_million(usd, tokens), usd_per_million(drawn_usd, drawn_tokens)
        return {**usd_document(amounts[0], amounts[1], places=MILLION_PLACES), "divisor": divisor}

    return {
        "requests_per_h": number_document(middle.own.requests_per_h, drawn.own.requests_per_h),
        "cost_per_request_usd": usd_document(usd, drawn_usd),
        "cost_per_m_output_tokens_usd": per_million(middle.output_tokens, drawn.output_tokens, "output tokens"),
        "cost_per_m_tokens_usd": per_million(middle.all_tokens, drawn.all_tokens, "input and output tokens"),
    }


def _against(
    given: DrawnInputs[OwnOrApi], per_request: Number, drawn_per_request: Number, volumes_per_h: Sequence[float]
) -> dict[str, Any]:
    own, drawn = given.middle.own, given.drawn.own
    middle, draws = break_even(own, per_request), break_even(drawn, drawn_per_request)
    grid = np.asarray(volumes_per_h, dtype=np.float64) if volumes_per_h else _grid(middle, own.capacity_per_h)
    shares = cheaper_share(drawn, drawn_per_request, grid)
    return {
        "api": {"cost_per_request_usd": usd_document(per_request, drawn_per_request)},
        "own_cheaper_probability": share_of(drawn.usd_per_request < np.asarray(drawn_per_request)),
        "break_even": _break_even(middle, draws, per_request),
        "volumes": [
            {
                "requests_per_h": float(volume),
                "requests_per_month": float(volume) * HOURS_PER_MONTH,
                "replicas": float(np.max(own.replicas_at(volume))),
                "own_usd_per_month": usd_document(
                    own.usd_per_h(volume) * HOURS_PER_MONTH, drawn.usd_per_h(volume) * HOURS_PER_MONTH, places=2
                ),
                "api_usd_per_month": usd_document(
                    per_request * volume * HOURS_PER_MONTH, drawn_per_request * volume * HOURS_PER_MONTH, places=2
                ),
                "own_cheaper_probability": share,
            }
            for volume, share in zip(grid, shares, strict=True)
        ],
    }


def _grid(middle: BreakEven, capacity_per_h: float) -> NDArray[np.float64]:
    center = float(middle.per_h[0]) if middle.exists[0] else capacity_per_h
    return np.asarray(SCALES * center)


def _break_even(middle: BreakEven, draws: BreakEven, per_request: Number) -> dict[str, Any]:
    """The break-even at the medians, and its levels over the draws that have one."""
    exists = draws.exists
    amounts = {
        name: levels_of(getattr(draws, name)[exists]) if exists.any() else None
        for name in ("per_h", "stays_per_h", "utilization", "replicas")
    }
    at_medians = {field.name: float(getattr(middle, field.name)[0]) for field in dataclasses.fields(middle)}
    monthly = at_medians["per_h"] * HOURS_PER_MONTH
    return {
        "probability": share_of(exists),
        "middle": {
            **at_medians,
            "per_month": monthly,
            "usd_per_month": money(monthly * float(per_request)) if middle.exists[0] else None,
        }
        if middle.exists[0]
        else None,
        **amounts,
    }
