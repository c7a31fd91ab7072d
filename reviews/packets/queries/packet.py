"""Build the packet of a request from the database, and the printed page of a frozen packet."""

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
from reviews.evidence.queries.attested import attested_variants
from reviews.evidence.queries.projections import projection_view
from reviews.packets import models as packets_models
from reviews.packets.charts.charts import draw_charts
from reviews.packets.domain.leadership import leadership_of
from reviews.packets.domain.packet import Approver, Cover, PacketDocument, read_packet
from reviews.packets.queries import packet_evidence as evidence
from reviews.packets.queries import packet_parts as parts
from reviews.packets.queries.packet_discussion import discussion_part
from reviews.packets.queries.packet_projection import projection_part
from reviews.requests.domain.copies import copy_of
from reviews.snapshots.queries.repeated_runs import repeated_runs_of
from reviews.snapshots.queries.snapshot import RequestSnapshot
from reviews.voting.domain.electorate import Electorate

# Names of the print style sheets in the template; the tokens are shared with the web pages.
_TOKENS, _SHEETS = "tokens.css", ("packet.css", "running.css", "cover.css")
# Strings are removed first, so that a title cannot count as a page. Our printer escapes every bracket in them.
_PDF_STRING = re.compile(rb"\((?:\\.|[^\\)])*\)", re.DOTALL)
_PDF_STREAM = re.compile(rb"stream\r?\n.*?endstream", re.DOTALL)
_PDF_OBJECT_STREAM = re.compile(rb"/Type\s*/ObjStm\b[^>]*>>\s*stream\r?\n")
_PDF_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")


@dataclass(frozen=True)
class PacketPage:
    """The template context and the assets (by name) of a printed packet."""

    context: dict[str, Any]
    assets: dict[str, bytes]


def packet_of(snapshot: RequestSnapshot) -> PacketDocument:
    """The packet with the current data, including uncommitted changes of the surrounding transaction."""
    request, metric_values, latest = snapshot.request, snapshot.evidence, next(iter(snapshot.policy_evaluations), None)
    variants, pictures = evidence.latest_variants(metric_values.run_views)
    projection = next(map(projection_view, metric_values.projections), None)
    authorization = snapshot.authorization
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
        discussion=discussion_part(snapshot),
        runs=evidence.run_rows(metric_values.run_views),
        repeated_runs=tuple(run.sentence for run in repeated_runs_of(metric_values)),
        variants=variants or attested_variants(request),
        pictures=pictures,
        studies=evidence.study_parts(request),
        audit=parts.audit_part(snapshot),
        authorization=parts.authorization_part(authorization) if authorization else None,
        generated_at=snapshot.now,
        generator=generator_words(),
    )


def packet_page(row: packets_models.Packet) -> PacketPage:
    """The page of a frozen packet, rebuilt only from its document. Raises Invalid if the document is not a packet."""
    packet = read_packet(row.document)
    return PacketPage(
        context={"packet": packet, "topics": leadership_of(packet), "digest": row.document_digest},
        assets={**style_sheets(), **draw_charts(packet), **_pictures(packet)},
    )


def pages_of(pdf: bytes) -> int:
    """The number of pages of a PDF of our printer, with plain or compressed objects."""
    packed = [zlib.decompressobj().decompress(pdf[match.end() :]) for match in _PDF_OBJECT_STREAM.finditer(pdf)]
    return sum(len(_PDF_PAGE.findall(_PDF_STRING.sub(b"", text))) for text in (_PDF_STREAM.sub(b"", pdf), *packed))


def _cover(snapshot: RequestSnapshot) -> Cover:
    request, decision, revision = snapshot.request, snapshot.decision, snapshot.frozen
    version = request.model_version
    return copy_of(
        request,
        Cover,
        team=request.team.name,
        requester=name_of(request.requester),
        owner=name_of(request.owner),
        model_name=version.asset.name,
        model_version=version.version,
        artifact_digest=version.digest,
        artifact_format=version.format,
        artifact_size_bytes=version.size_bytes,
        bundle_digest=revision.digest if revision else "",
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
    """The print style sheets by their name in the template."""
    tokens = finders.find(f"weighbridge/{_TOKENS}")
    folder = Path(settings.BASE_DIR) / "templates/reviews/packets"
    # A missing sheet is left out: the printer then fails with a reason instead of printing without it.
    paths = {_TOKENS: Path(tokens) if isinstance(tokens, str) else None, **{name: folder / name for name in _SHEETS}}
    return {name: path.read_bytes() for name, path in paths.items() if path is not None and path.exists()}


def _pictures(packet: PacketDocument) -> dict[str, bytes]:
    variants = {f"variants-{picture.name}.svg": picture.svg.encode() for picture in packet.pictures}
    return variants | {study.chart: study.chart_svg.encode() for study in packet.studies}


@cache
def generator_words() -> str:
    """The name and version of the program that created a packet."""
    return f"Weighbridge {version('weighbridge-server')}"
