"""Questions about values that are probably slips: they are stored only after the person confirms them."""

from collections.abc import Sequence
from decimal import Decimal

from weighbridge.core.metrics.values import number_text

KPI, KPI_CHANGE_MAX = "business_kpi_delta", Decimal("0.5")
MAGNITUDE, PEERS_MIN = 10, 5
CONFIRM = "If it is right, confirm it."


def slip_question(*, name: str, value: Decimal, unit: str, peers: Sequence[Decimal]) -> str:
    """The question about a value that is far from what is usual; "" if there is none.

    `peers` are values of the metric in other requests, the smallest and the largest magnitudes among them; few of
    them say nothing.
    """
    if name == KPI and abs(value) > KPI_CHANGE_MAX:
        percent, meant = number_text(value * 100), number_text(value / 100)
        return f"This is a fraction of 1, so {number_text(value)} means {percent} %. Did you mean {meant}? {CONFIRM}"
    if len(peers) < PEERS_MIN or not value:
        return ""
    text, sizes = f"{number_text(value)} {unit}".strip(), [abs(peer) for peer in peers]
    if abs(value) > MAGNITUDE * max(sizes):
        return f"{text} is more than ten times as much as in any other request. Did you mean another unit? {CONFIRM}"
    if abs(value) * MAGNITUDE < min(sizes):
        return f"{text} is less than a tenth of the value of any other request. Did you mean another unit? {CONFIRM}"
    return ""
