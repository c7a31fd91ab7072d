"""What a packet says of a request now, read from the database; and the page a frozen packet is printed from."""

import re
import zlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders

from governance.people.queries.people import name_of
from reviews.evidence.queries.projections import projection_view
from reviews.packets import models as packets_models
from reviews.packets.charts.charts import draw_charts
from reviews.packets.domain.packet import Approver, Cover, PacketDocument
from reviews.packets.domain.packet_document import read_packet
from reviews.packets.queries import packet_evidence as evidence
from reviews.packets.queries import packet_parts as parts
from reviews.packets.queries.packet_projection import projection_part
from reviews.snapshots.queries.snapshot import RequestSnapshot
from reviews.voting.queries.electorate import Electorate

# Names of the printed style sheets as the template asks for them; the tokens are shared with the pages.
_TOKENS, _SHEET = "tokens.css", "packet.css"
# Strings are cut out first, so that a title cannot count as a page. Our printer escapes every bracket inside them.
_PDF_STRING = re.compile(rb"\((?:\\.|[^\\)])*\)", re.DOTALL)
_PDF_STREAM = re.compile(rb"stream\r?\n.*?endstream", re.DOTALL)
_PDF_OBJECT_STREAM = re.compile(rb"/Type\s*/ObjStm\b[^>]*>>\s*stream\r?\n")
_PDF_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")


@dataclass(frozen=True)
class PacketPage:
    """What the packet's template and the printer need: the context, and every asset by the name the page gives it."""

    context: dict[str, Any]
    assets: dict[str, bytes]


def packet_of(snapshot: RequestSnapshot) -> PacketDocument:
    """Everything a packet says, as it stands now; inside the transaction of the decision, what that has written."""
    request, metric_values, latest = snapshot.request, snapshot.evidence, next(iter(snapshot.policy_evaluations), None)
    variants, pictures = evidence.latest_variants(metric_values.run_views)
    projection = next(map(projection_view, metric_values.projections), None)
    held = snapshot.authorization
    return PacketDocument(
        cover=_cover(snapshot),
        business_case=request.business_case,
        business_metric=evidence.business_metric(metric_values),
        policy_evaluation=parts.policy_evaluation_part(latest) if latest else None,
        comparisons=evidence.comparisons(metric_values),
        costs=evidence.costs(metric_values),
        projection=projection_part(projection),
        checklist_title=parts.checklist_title(request),
        checklist=parts.checklist_rows(metric_values),
        stages=parts.stage_rows(snapshot),
        votes=parts.vote_rows(snapshot.electorate),
        conditions=tuple(map(parts.condition_row, snapshot.conditions)),
        budget=parts.budget_rows(snapshot),
        ticket=parts.ticket_part(snapshot.ticket) if snapshot.ticket else None,
        runs=evidence.run_rows(metric_values.run_views),
        variants=variants,
        pictures=pictures,
        audit=parts.audit_part(snapshot),
        authorization=parts.authorization_part(held) if held else None,
        generated_at=snapshot.now,
        generator=generator_words(),
    )


def packet_page(row: packets_models.Packet) -> PacketPage:
    """The page of a frozen packet, rebuilt from its document alone. Raises Invalid for a document that is no packet."""
    packet = read_packet(row.document)
    return PacketPage(
        context={"packet": packet, "digest": row.document_digest},
        assets={**style_sheets(), **draw_charts(packet), **_pictures(packet)},
    )


def pages_of(pdf: bytes) -> int:
    """How many pages a PDF of our printer has, whether its objects are written plainly or packed into streams."""
    packed = [zlib.decompressobj().decompress(pdf[found.end() :]) for found in _PDF_OBJECT_STREAM.finditer(pdf)]
    return sum(len(_PDF_PAGE.findall(_PDF_STRING.sub(b"", text))) for text in (_PDF_STREAM.sub(b"", pdf), *packed))


def _cover(snapshot: RequestSnapshot) -> Cover:
    request, decision, revision = snapshot.request, snapshot.decision, snapshot.frozen
    version = request.model_version
    return Cover(
        ref=request.ref,
        title=request.title,
        team=request.team.name,
        requester=name_of(request.requester),
        owner=name_of(request.owner),
        model_name=version.asset.name,
        model_version=version.version,
        artifact_digest=version.digest,
        artifact_format=version.format,
        artifact_size_bytes=version.size_bytes,
        purpose=request.purpose,
        environment=request.environment,
        state=request.state,
        revision=request.revision,
        bundle_digest=revision.digest if revision else "",
        submitted_at=request.submitted_at,
        outcome=decision.outcome if decision else "",
        decided_at=decision.decided_at if decision else None,
        rationale=decision.rationale if decision else "",
        approvers=() if snapshot.is_rejected else _approvers(snapshot.electorate),
    )


def _approvers(electorate: Electorate) -> tuple[Approver, ...]:
    return tuple(
        Approver(name=ballot.person_name, stage=row.stage.title, approved_at=ballot.cast_at)
        for row in electorate.progress.stages
        for ballot in row.approvals
    )


def style_sheets() -> dict[str, bytes]:
    """The printed style sheets by the name the template gives them."""
    tokens = finders.find(f"weighbridge/{_TOKENS}")
    sheet = Path(settings.BASE_DIR) / "templates/reviews/packets" / _SHEET
    # A missing sheet is left out here: the printer then fails in words, rather than print without it.
    found = {_TOKENS: Path(tokens) if isinstance(tokens, str) else None, _SHEET: sheet}
    return {name: path.read_bytes() for name, path in found.items() if path is not None and path.exists()}


def _pictures(packet: PacketDocument) -> dict[str, bytes]:
    return {f"variants-{each.name}.svg": each.svg.encode() for each in packet.pictures}


@cache
def generator_words() -> str:
    """The name and version of what wrote a packet."""
    return f"Weighbridge {version('weighbridge-server')}"
