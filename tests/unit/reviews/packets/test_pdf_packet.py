"""The packet as printed: what stands on its pages, its outline, its metadata, and that user text stays text."""

import re
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.template import Context, Engine
from pypdf import PdfReader

from governance.audit.domain import checkpoint
from reviews.packets.charts.charts import draw_charts
from reviews.packets.domain.leadership import leadership_of
from reviews.packets.domain.packet import PacketDocument, read_packet
from reviews.packets.domain.packet_discussion import DiscussionPart, PacketComment, PacketThread
from reviews.packets.domain.packet_evidence import Claim, ClaimComparison
from reviews.packets.printing.pdf import WeasyPrintPrinter, render
from reviews.packets.printing.pdf_tags import finished
from tests.factories.packets import FILED_AT, checkpoint_key, sample_audit, sample_cover, sample_packet
from tests.unit.reviews.packets.tagged import check_filled, check_heads, check_tags
from weighbridge.core.canonical import digest_of
from weighbridge.core.converter import to_document

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[4]
LIBRARIES = {"weighbridge": "governance.site.templatetags.weighbridge"}
SECTIONS = [
    "1 Request and business case",
    "2 Policy evaluation",
    "3 Claims and measurements",
    "4 Costs",
    "5 Checklist",
    "6 Votes and conditions",
    "7 Budget",
    "8 Authorization",
    "9 Discussion",
    "10 Ticket and audit trail",
]


def _html(packet: PacketDocument) -> str:
    template = Engine(dirs=[str(PROJECT / "templates")], libraries=LIBRARIES).get_template(
        "reviews/packets/review.html"
    )
    return template.render(
        Context({"packet": packet, "topics": leadership_of(packet), "digest": digest_of(to_document(packet))})
    )


def _assets(packet: PacketDocument) -> dict[str, bytes]:
    tokens = PROJECT / "governance" / "site" / "static" / "weighbridge" / "tokens.css"
    studies = {study.chart: study.chart_svg.encode() for study in packet.studies}
    return (
        draw_charts(packet)
        | studies
        | {
            **{
                name: (PROJECT / "templates/reviews/packets" / name).read_bytes()
                for name in ("packet.css", "running.css", "cover.css")
            },
            "tokens.css": tokens.read_bytes(),
        }
    )


def _bare() -> PacketDocument:
    cover = sample_cover(
        outcome="", state="draft", decided_at=None, rationale="", approvers=(), artifact_format="", bundle_digest=""
    )
    return PacketDocument(cover=cover, business_case="", generated_at=FILED_AT, generator="Weighbridge 0.2.0")


@pytest.fixture(scope="module")
def reader() -> PdfReader:
    packet = sample_packet()
    return PdfReader(BytesIO(WeasyPrintPrinter().print(_html(packet), assets=_assets(packet))))


def _titles(outline: list[Any]) -> list[str]:
    return [" ".join(item.title.split()) for item in outline if not isinstance(item, list)]


def test_outline_lists_every_section_and_its_parts(reader: PdfReader) -> None:
    assert _titles(reader.outline) == ["Fashion classifier for the returns desk", *SECTIONS]
    parts = [_titles(item) for item in reader.outline if isinstance(item, list)]
    assert parts == [
        ["Latency percentiles", "Benchmark runs", "Studies"],
        ["Conditions"],
        ["Signed checkpoint of the audit trail"],
    ]


def test_metadata_names_the_request_and_the_twin(reader: PdfReader) -> None:
    found = reader.metadata
    assert found is not None
    assert found.title == "MRR-2026-0042: Fashion classifier for the returns desk"
    assert found.author == "Retail vision"
    assert found.subject is not None
    assert found.subject.endswith(f"JSON document {digest_of(to_document(sample_packet()))}")
    assert found.creator == "Weighbridge 0.2.0"
    assert found.creation_date is not None
    assert found.creation_date.isoformat() == "2026-07-09T15:43:00+00:00"
    assert reader.trailer["/Root"]["/Lang"] == "en"


def test_every_page_but_the_cover_carries_reference_digest_and_page_number(reader: PdfReader) -> None:
    count = len(reader.pages)
    assert 5 <= count <= 8
    texts = [page.extract_text() for page in reader.pages]
    for number, text in enumerate(texts, start=1):
        assert f"Page {number} of {count}" in text
    for text in texts[1:]:
        assert "MRR-2026-0042" in text
        assert digest_of(to_document(sample_packet())) in text


def test_the_tags_are_as_pdf_ua_asks() -> None:
    for packet in (sample_packet(), _bare()):
        check_tags(WeasyPrintPrinter().print(_html(packet), assets=_assets(packet)))


@pytest.mark.parametrize(("events", "is_bare"), [(0, True), (24, True), (0, False), (40, False)])
def test_no_page_is_nearly_empty(events: int, *, is_bare: bool) -> None:
    packet = _bare() if is_bare else sample_packet()
    packet = replace(packet, audit=sample_audit(events) if events else None)
    check_filled(PdfReader(BytesIO(WeasyPrintPrinter().print(_html(packet), assets=_assets(packet)))))


@pytest.mark.parametrize("lines", [0, 22, 44])
def test_no_title_ends_a_page(lines: int) -> None:
    """Each size moves what follows by lines, so that every title comes near the end of a page."""
    paragraphs = "\n\n".join(["A paragraph of one line."] * lines)
    packet = sample_packet(business_case=paragraphs, audit=sample_audit(lines + 1))
    check_heads(PdfReader(BytesIO(finished(render(_html(packet), assets=_assets(packet))))))


@pytest.mark.parametrize("shown", [1, 3])
def test_no_page_of_a_short_request_is_nearly_empty(shown: int) -> None:
    whole = sample_packet()
    packet = replace(
        whole,
        studies=(),
        runs=(),
        comparisons=whole.comparisons[:shown],
        checklist=whole.checklist[:shown],
        votes=whole.votes[:shown],
        costs=whole.costs[:shown],
    )
    check_filled(PdfReader(BytesIO(WeasyPrintPrinter().print(_html(packet), assets=_assets(packet)))))


def test_the_leadership_page_says_what_was_decided_about_what(reader: PdfReader) -> None:
    cover = " ".join(" ".join(page.extract_text() for page in reader.pages[:2]).split())
    for words in (
        "The first year costs 21,340.00 USD in total (estimated; with 80 % probability 16,900.00 to 28,400.00 USD).",
        "Approved with conditions",
        "on 9 July 2026, 15:42 UTC",
        "fashion-classifier 1.4.0",
        "sha256:" + "a" * 64,
        "41.83 ms",
        "measured, 40.1 to 43.91",
        "Lea Lead (GPU budget, 2026-07-09 15:42)",
        "AUT-2026-0031, prod, until 9 July 2027",
        digest_of(to_document(sample_packet())),
    ):
        assert words in cover


def test_contents_name_the_page_on_which_each_section_begins(reader: PdfReader) -> None:
    contents = "\n".join(page.extract_text() for page in reader.pages[:2])
    for section in SECTIONS:
        title = section[2:]
        line = next(line for line in contents.splitlines() if title in line and ". ." in line)
        page = int(line.rsplit(". ", 1)[-1].strip(" ."))
        destination = next(item for item in reader.outline if not isinstance(item, list) and title in item.title)
        assert reader.get_destination_page_number(destination) + 1 == page


def test_pages_say_rules_contradictions_votes_budget_ticket_and_chain_head(reader: PdfReader) -> None:
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    for words in (
        "2 of 6 rules did not pass.",
        "Latency p95 (upper) at most 100 ms",
        "Waived until 2026-09-30",
        "worse than claimed",
        "The claim came from a GPU",
        "Too few samples: 812 of 3,000.",
        "16,900.00 to 28,400.00",
        "7 of 8 items answered",
        "request changes",
        "void",
        "Measure the distilled student",
        "38,660.00",
        "3 threads, of which 1 is open.",
        "on Latency p95",
        "The peak of November.",
        "withdrawn 2026-07-09 15:42",
        "resolved by Lea Lead",
        "in the ticket",
        "Ticket RISK-118, Done.",
        "Head of the chain after 219 events sha256:" + "c" * 64,
    ):
        assert words in text


def test_the_printed_checkpoint_is_verified_as_copied_from_the_page(reader: PdfReader) -> None:
    text = "\n".join(page.extract_text() for page in reader.pages)
    line = text.partition("In one line")[2].partition("A trail that was")[0]
    signed = checkpoint.read(line)
    public = checkpoint_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    checkpoint.verify(signed, public_key_pem=public)
    assert (signed.checkpoint.count, signed.checkpoint.head) == (219, "sha256:" + "c" * 64)
    assert "manage.py audit verify --checkpoint LINE" in " ".join(text.split())


def test_a_packet_from_before_there_were_checkpoints_prints_without_one() -> None:
    document = to_document(sample_packet())
    del document["audit"]["checkpoint"]
    old = read_packet(document)
    assert old.audit is not None
    assert old.audit.checkpoint is None
    assert "Signed checkpoint" not in _html(old)


def test_a_packet_from_before_ends_of_conditions_were_recorded_says_so() -> None:
    document = to_document(sample_packet())
    for row in document["conditions"]:
        del row["ended"]
    html = " ".join(_html(read_packet(document)).split())
    assert "whether it was lifted or carried over is not recorded" in html
    assert "state--open" not in html.partition("<h3>Conditions</h3>")[2].partition("</table>")[0]
    known = " ".join(_html(sample_packet()).split())
    assert "state--open" in known.partition("<h3>Conditions</h3>")[2].partition("</table>")[0]


def test_derived_values_are_named_so() -> None:
    rows = (
        ClaimComparison(name="accuracy", unit="ratio", direction="", claimed=Claim(value=Decimal(1), basis="declared")),
        ClaimComparison(
            name="total_cost_1y_usd", unit="USD", direction="", derived=Claim(value=Decimal(7), basis="declared")
        ),
    )
    packet = sample_packet(comparisons=rows)
    html = " ".join(_html(packet).split())
    assert "Claimed or derived</th>" in html
    assert '7.00<span class="soft">derived from declared parts</span>' in html
    assert "derived from declared parts </p>" in html
    assert set(draw_charts(packet)) >= {"interval-accuracy.svg", "interval-total_cost_1y_usd.svg"}


def test_a_bare_packet_says_what_is_not_there() -> None:
    packet = _bare()
    text = " ".join(
        page.extract_text() for page in PdfReader(BytesIO(render(_html(packet), assets=_assets(packet)))).pages
    )
    text = " ".join(text.split())
    for words in (
        "Not decided: draft",
        "nobody",
        "The policy has not been evaluated yet",
        "No metric values were given.",
        "This request has no benchmark runs",
        "No costs were given.",
        "No checklist: the policy did not require a review",
        "Nobody has voted.",
        "No conditions.",
        "Nobody has commented.",
        "does not use a budget",
        "the gate refuses this artifact",
        "No ticket",
        "No events were recorded.",
    ):
        assert words in text


def test_user_text_stays_text_in_every_field() -> None:
    hostile = '<img src="http://127.0.0.1:1/x"><link rel="attachment" href="file:///etc/passwd">"\'&'
    packet = sample_packet(
        audit=None, business_case=hostile, business_metric=hostile, checklist_title=hostile, generator=hostile
    )
    packet = replace(
        packet,
        cover=sample_cover(title=hostile, team=hostile, purpose=hostile, rationale=hostile, requester=hostile),
        votes=tuple(replace(vote, rationale=hostile, person=hostile) for vote in packet.votes),
        checklist=tuple(replace(row, answer=hostile, title=hostile) for row in packet.checklist),
        conditions=tuple(replace(row, text=hostile, owner=hostile) for row in packet.conditions),
        discussion=DiscussionPart(
            open_count=1,
            threads=(
                PacketThread(
                    source="weighbridge",
                    title=hostile,
                    comments=(PacketComment(author=hostile, text=hostile, written_at=FILED_AT),),
                    is_resolved=True,
                    resolved_by=hostile,
                ),
            ),
        ),
        runs=tuple(replace(row, reasons=(hostile,), machine=hostile) for row in packet.runs),
        comparisons=tuple(replace(row, answer=hostile, contradiction=hostile) for row in packet.comparisons[:2]),
        costs=tuple(replace(row, label=hostile, source=hostile) for row in packet.costs),
        studies=tuple(
            replace(row, title=hostile, conclusions=(hostile,), reasons=(hostile,) * 8, file_name=hostile)
            for row in packet.studies
        ),
    )
    html = _html(packet)
    assert "<img src=&quot;" not in html
    assert len(re.findall(r"<img\s", html)) == 2 + 2 + 2
    assert html.count("<link ") == 4
    assert render(html, assets=_assets(packet)).startswith(b"%PDF-")


def test_a_long_trail_and_an_endless_word_still_print(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reviews.packets.domain.packet_trail.AUDIT_ROWS_SHOWN", 40)
    packet = replace(_bare(), audit=sample_audit(70), business_case="x" * 5000)
    reader = PdfReader(BytesIO(WeasyPrintPrinter().print(_html(packet), assets=_assets(packet))))
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    assert "30 earlier events are in the JSON document." in text
    assert len(reader.pages) < 15
