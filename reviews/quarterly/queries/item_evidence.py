"""What is known about an agenda item: its model and owner, its request, its findings, and the figures of the packet."""

from dataclasses import dataclass, replace
from datetime import datetime

from governance.findings.enums import FindingState
from governance.findings.models import Finding
from governance.people.queries.people import name_of
from governance.site.domain.numbers import whole_number
from reviews.quarterly.domain.packet import BasisRow, ModelPage, Variance
from reviews.quarterly.models import AgendaItem, CyclePacket
from reviews.quarterly.queries.cycle_sources import model_name
from reviews.requests.domain.lifecycle import RequestState
from weighbridge.core.converter import from_document

BUSINESS_CASE_CHARS = 600


@dataclass(frozen=True, kw_only=True)
class ModelInQuestion:
    """The model of an item. `page` is its address."""

    name: str
    page: str
    owner: str
    team: str


@dataclass(frozen=True, kw_only=True)
class RequestInQuestion:
    """The request of an item; the text is its business case, shortened."""

    ref: str
    revision: int
    title: str
    state: str
    purpose: str
    business_case: str


@dataclass(frozen=True, kw_only=True)
class FindingInQuestion:
    """An open finding that the item is about."""

    ref: str
    text: str
    severity: str
    source: str
    owner: str
    opened_at: datetime


@dataclass(frozen=True, kw_only=True)
class ItemEvidence:
    """The evidence beside a decision. `packet` is the number of the packet whose figures are shown; 0 without one."""

    model: ModelInQuestion | None
    request: RequestInQuestion | None
    findings: tuple[FindingInQuestion, ...]
    packet: int = 0
    authorization: str = ""
    conditions: tuple[str, ...] = ()
    figures: tuple[BasisRow, ...] = ()
    variance: Variance | None = None


def evidence_of(item: AgendaItem) -> ItemEvidence:
    """The evidence about an item. Figures are those of the latest packet, which the meeting has in front of it."""
    evidence = ItemEvidence(model=_model(item), request=_request(item), findings=_findings(item))
    packet = CyclePacket.objects.filter(cycle=item.cycle_id).order_by("-number").first()
    page = _page(packet, model_name(item.asset)) if packet is not None and item.asset is not None else None
    if packet is None or page is None:
        return evidence
    return replace(
        evidence,
        packet=packet.number,
        authorization=page.authorization,
        conditions=page.conditions,
        figures=page.metrics,
        variance=page.variance,
    )


def _page(packet: CyclePacket, model: str) -> ModelPage | None:
    """The page of a model in a packet. Only this page is read: a packet has hundreds."""
    page = next((page for page in packet.document["models"] if page["model"] == model), None)
    return from_document(ModelPage, page, name="packet", advice="") if page is not None else None


def _model(item: AgendaItem) -> ModelInQuestion | None:
    asset = item.asset
    if asset is None:
        return None
    page = f"/models/{asset.team.slug}/{asset.slug}/"
    return ModelInQuestion(name=asset.name, page=page, owner=name_of(asset.owner), team=asset.team.name)


def _request(item: AgendaItem) -> RequestInQuestion | None:
    row = item.request
    if row is None:
        return None
    case = row.business_case
    return RequestInQuestion(
        ref=row.ref,
        revision=row.revision,
        title=row.title,
        state=RequestState(row.state).words,
        purpose=row.purpose,
        business_case=case if len(case) <= BUSINESS_CASE_CHARS else f"{case[:BUSINESS_CASE_CHARS]}…",
    )


def _findings(item: AgendaItem) -> tuple[FindingInQuestion, ...]:
    """The open findings that the subject of the item names: one by number, or those of one kind about a request."""
    rows = Finding.objects.filter(state=FindingState.OPEN).select_related("owner").order_by("-pk")
    kind, _, ref = item.subject.partition(":")
    number = whole_number(item.subject.removeprefix("FND-"))
    if item.subject.startswith("FND-") and number is not None:
        rows = rows.filter(pk=number)
    elif ref and kind.replace(".", "").replace("_", "").isalpha():
        rows = rows.filter(kind=kind, subject__startswith=ref)
    else:
        return ()
    return tuple(
        FindingInQuestion(
            ref=str(row),
            text=row.text,
            severity=row.severity,
            source=row.source,
            owner=name_of(row.owner) if row.owner else "",
            opened_at=row.opened_at,
        )
        for row in rows
    )
