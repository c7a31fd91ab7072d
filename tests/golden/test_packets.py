"""What a decision leaves behind: the packet, what its voters judged, and the packet of its quarter."""

from datetime import timedelta
from decimal import Decimal

from governance.people.domain.roles import Role
from reviews.discussions.actions import comments, threads
from reviews.packets import actions as packets
from reviews.quarterly.actions import cycles, quarterly_packets, scorecard
from reviews.quarterly.domain.decisions import DecisionKind
from reviews.requests.models import ReviewRequest
from tests.factories import cycles as quarters
from tests.factories.discussions import make_comment
from tests.factories.people import Cast
from tests.golden.conftest import Story
from tests.golden.golden import check_document


def test_the_packet_of_a_decided_request(story: Story) -> None:
    packet = story.decided().packets.get()
    check_document("packet.json", {"digest": packet.document_digest, "document": packet.document})


def test_the_evidence_its_voters_judged(story: Story) -> None:
    revisions = story.decided().revisions.order_by("number")
    check_document("evidence.json", [{"digest": each.digest, "bundle": each.bundle} for each in revisions])


def test_the_discussion_in_a_packet(story: Story) -> None:
    """As it was when the packet was frozen; a later comment changes nothing."""
    request = story.in_second_review()
    first = make_comment(request, "Is this the peak, @rita?", by=story.anne, now=story._tick(), about="metric:accuracy")
    comments.reply(thread=first.thread, text="It is that of November.", by=story.rita, now=story._tick())
    gone = make_comment(request, "Ignore me.", by=story.bert, now=story._tick())
    comments.withdraw(comment=gone, by=story.bert, now=story._tick())
    threads.resolve(thread=first.thread, by=story.anne, now=story._tick())
    packet = packets.request_packet(request=request, by=story.rita, now=story._tick())
    comments.reply(thread=first.thread, text="Later.", by=story.anne, now=story._tick())
    check_document("discussion.json", packet.document["discussion"])


def test_the_packets_of_its_quarter_and_of_the_next(story: Story) -> None:
    request = story.decided()
    cast = cast_of(story)
    supply_scores(request, cast)
    asset, met_at = request.model_version.asset, quarters.met_at(story.now)
    decision = quarters.make_decision(cast=cast, now=story.now, kind=DecisionKind.OPTIMIZE, asset=asset)
    closed = cycles.close(cycle=decision.item.cycle, by=cast.approver, now=met_at)
    story.allocate(quarter="2026Q4")
    following = quarters.make_frozen(now=story.now + timedelta(days=92))
    issued = [
        quarterly_packets.issue(cycle=closed, by=cast.approver, now=met_at),
        quarterly_packets.issue(cycle=following, by=cast.approver, now=following.cut_off_at),
    ]
    check_document("quarters.json", [{"digest": each.document_digest, "document": each.document} for each in issued])


def cast_of(story: Story) -> Cast:
    """The people of the story in the parts of a meeting."""
    product = story._person("pia", "Pia", "Product", Role.PRODUCT_LEAD)
    return Cast(
        author=story.rita,
        reviewer_one=story.anne,
        reviewer_two=story.bert,
        approver=story.lea,
        product=product,
        finance=story.finn,
        steward=story.stella,
        admin=product,
        auditor=product,
        outsider=story.otto,
    )


def supply_scores(request: ReviewRequest, cast: Cast) -> None:
    asset, now = request.model_version.asset, request.created_at
    quarters.make_kpi(asset=asset, by=cast.author, now=now)
    quarters.make_cycle(now=now)
    actual = scorecard.SuppliedActual(asset=asset, kpi="conversion", value=Decimal("2.9"))
    scorecard.supply(quarter="2026Q3", actuals=[actual], channel="form", by=cast.author, now=now)
