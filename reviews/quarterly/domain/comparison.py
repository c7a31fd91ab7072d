"""The differences between the packets of two quarters."""

from collections import Counter
from collections.abc import Iterator, Mapping

from reviews.quarterly.domain.packet import ChangeRow, QuarterlyPacket
from reviews.requests.domain.wording import number_text


def differences(before: QuarterlyPacket | None, after: QuarterlyPacket) -> tuple[ChangeRow, ...]:
    """Changed amounts, authorizations, KPI statuses and agenda counts. Empty for the first packet."""
    if before is None:
        return ()
    return tuple(row for row in _rows(before, after) if row.before != row.after)


def _rows(before: QuarterlyPacket, after: QuarterlyPacket) -> Iterator[ChangeRow]:
    for what, name in (("Allocated", "allocated_usd"), ("Spent", "spent_usd"), ("Forecast", "forecast_usd")):
        amounts = [f"{number_text(getattr(packet, name), unit='USD')} USD" for packet in (before, after)]
        yield ChangeRow(what=what, before=amounts[0], after=amounts[1])
    yield from _between("Authorization of", _authorizations(before), _authorizations(after))
    yield from _between("Status of", _statuses(before), _statuses(after))
    yield from _between("On the agenda:", _agenda(before), _agenda(after))


def _between(label: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[ChangeRow]:
    for name in sorted({*before, *after}):
        yield ChangeRow(what=f"{label} {name}", before=before.get(name, ""), after=after.get(name, ""))


def _authorizations(packet: QuarterlyPacket) -> dict[str, str]:
    return {page.model: page.authorization or "none" for page in packet.models}


def _statuses(packet: QuarterlyPacket) -> dict[str, str]:
    return {f"{row.model}, {row.kpi}": row.status.value for row in packet.scores}


def _agenda(packet: QuarterlyPacket) -> dict[str, str]:
    counted = Counter(row.kind for row in packet.agenda)
    return {kind: str(count) for kind, count in counted.items()}
