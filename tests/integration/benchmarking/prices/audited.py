"""How to call every write of prices, so that each does something."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime

from benchmarking.prices import actions as prices
from benchmarking.prices.models import PriceSource
from tests.factories.people import Cast
from tests.unit.toolkit.costs.builders import sheet

Call = Callable[[Cast, datetime], object]


def _priced(cast: Cast, now: datetime) -> PriceSource:
    text = json.dumps(sheet(prices=[{"name": "rack-a", "on_demand": "1.25"}]))
    return prices.publish(text=text, by=cast.finance, now=now)


ACTIONS: Mapping[str, Call] = {
    "benchmarking.prices.actions.publish": _priced,
    "benchmarking.prices.actions.withdraw": lambda cast, now: prices.withdraw(
        source=_priced(cast, now), reason="It has ended.", by=cast.finance, now=now
    ),
}
