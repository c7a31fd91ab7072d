"""`looks/`, `viewed/` and `votes/draft/` of a request: what changed since one's last look, marks, a vote not cast."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.api.caller import asker
from governance.people.domain.roles import Person
from governance.site.api.shapes import Input, answer_of, choice, read, read_for, takes
from reviews.notes.domain.draft_votes import (
    CONDITION_PARTS,
    CONDITIONS_MAX,
    LIFTED_MAX,
    DraftCondition,
    VoteDraft,
    check_conditions,
)
from reviews.notes.domain.looks import POSITION_MAX, Look
from reviews.notes.domain.parts import DIGEST_CHARS_MAX, PartName
from reviews.notes.models import DraftVote, LastLook, ViewedPart
from reviews.notes.queries.draft_votes import DraftVoteView, draft_vote_of
from reviews.notes.queries.looks import SinceLastLook, since_last_look
from reviews.notes.queries.viewed import PartView, part_digest, part_views
from reviews.notes.rules import check_draft_vote
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import find, readers_of
from reviews.snapshots.queries.snapshot import RequestSnapshot, snapshot_of
from reviews.voting.domain.electorate import VoteChoice
from reviews.voting.domain.rationales import RATIONALE_CHARS_MAX

SinceAnswer = answer_of(
    SinceLastLook, "SinceAnswer", helps={"position": "Give it back with the look: what you have seen up to here."}
)
DraftVoteAnswer = answer_of(DraftVoteView, "DraftVoteAnswer")
PartAnswer = answer_of(PartView, "PartAnswer", properties=["is_expired"])


class LookInput(Input):
    """Up to which event of the trail one has seen the request."""

    position = serializers.IntegerField(min_value=0, max_value=POSITION_MAX)
    is_read = serializers.BooleanField(
        default=False, help_text="Whether the changes are read; otherwise they stay for 30 minutes."
    )


class ViewedInput(Input):
    """A part, and whether it is viewed."""

    part = choice(PartName)
    is_viewed = serializers.BooleanField(default=True)
    digest = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=DIGEST_CHARS_MAX,
        help_text="That of the part as you read it, needed to mark it; if the part has changed since, it is refused.",
    )


@takes(
    DraftCondition,
    text={"max_length": CONDITION_PARTS["text"], "allow_blank": True},
    owner={"max_length": CONDITION_PARTS["owner"], "allow_blank": True, "help_text": "User name."},
    due_on={"max_length": CONDITION_PARTS["due_on"], "allow_blank": True, "help_text": "A day like 2027-01-31."},
)
class DraftConditionInput(Input):
    """A condition, as far as it is filled in."""


class ReadRevisionInput(Input):
    """The revision that the asker read."""

    revision = serializers.IntegerField(
        required=False, min_value=1, help_text="The revision that you read; another one is refused."
    )


@takes(
    VoteDraft,
    rationale={"max_length": RATIONALE_CHARS_MAX, "allow_blank": True},
    in_place_of={
        "max_length": CONDITION_PARTS["owner"],
        "allow_blank": True,
        "help_text": "User name of the absent person for whom you would vote as the deputy; empty for your own vote.",
    },
)
class DraftVoteInput(ReadRevisionInput):
    """A vote as far as it is filled in; an empty one discards the draft."""

    choice = choice(("", *VoteChoice), required=False, allow_blank=True)
    conditions = serializers.ListField(child=DraftConditionInput(), required=False, max_length=CONDITIONS_MAX)
    lifted_ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=POSITION_MAX),
        required=False,
        max_length=LIFTED_MAX,
        help_text="The ids of earlier conditions of the artifact that the approval would lift.",
    )


class DraftVotes(APIView):
    """The vote that the asker has not cast yet."""

    @extend_schema(operation_id="voting_draft", responses=DraftVoteAnswer)
    def get(self, request: Request, ref: str) -> Response:
        """Your draft. When a new revision begins, its choice is open again, and its texts are kept."""
        return Response(_draft(*_seen(request, ref)))

    @extend_schema(operation_id="voting_save_draft", request=DraftVoteInput, responses=DraftVoteAnswer)
    def post(self, request: Request, ref: str) -> Response:
        """Save your vote as a draft in place of an earlier one. Nobody else sees it; casting a vote removes it."""
        person, snapshot = _seen(request, ref)
        row = snapshot.request
        given = read_for(request, DraftVoteInput, lambda: check_draft_vote(person, row))
        check_draft_vote(person, row)
        seen, lifted_ids = given.pop("revision", None), tuple(given.pop("lifted_ids", ()))
        conditions = tuple(DraftCondition(**each) for each in given.pop("conditions", ()))
        check_conditions(conditions, people=_known(row, conditions))
        draft = VoteDraft(**given, conditions=conditions, lifted_ids=lifted_ids)
        DraftVote.keep(request=row, person_id=person.id, draft=draft, seen=seen, now=snapshot.now)
        return Response(_draft(person, snapshot))


def _known(row: ReviewRequest, conditions: Sequence[DraftCondition]) -> frozenset[str]:
    """The owners of the conditions who can see the request: those from whom its page lets people choose."""
    people = readers_of(row).filter(username__in=[each.owner for each in conditions])
    return frozenset(people.values_list("username", flat=True))


def _draft(person: Person, snapshot: RequestSnapshot) -> Any:
    """The draft, or an empty one."""
    row = snapshot.request
    empty = DraftVoteView(revision=row.revision, is_current=True, choice="", rationale="", conditions=(), saved_at=None)
    return DraftVoteAnswer(draft_vote_of(snapshot, person=person) or empty).data


class RequestLooks(APIView):
    """The looks of the asker at a request."""

    @extend_schema(operation_id="requests_changes_since_last_look", responses=SinceAnswer)
    def get(self, request: Request, ref: str) -> Response:
        """What other people and the system changed since your last look, the earliest first."""
        person, snapshot = _seen(request, ref)
        return Response(SinceAnswer(since_last_look(snapshot, person=person)).data)

    @extend_schema(operation_id="requests_look", request=LookInput, responses=SinceAnswer)
    def post(self, request: Request, ref: str) -> Response:
        """Note your look at the request. Nobody else sees it."""
        person, snapshot = _seen(request, ref)
        given = read(LookInput, request.data)
        row, now = snapshot.request, snapshot.now
        look = Look(position=given["position"], revision=row.revision, at=now)
        LastLook.keep(request_id=row.pk, person_id=person.id, look=look, is_read=given["is_read"])
        return Response(SinceAnswer(since_last_look(snapshot, person=person)).data)


class ViewedParts(APIView):
    """The parts of a request that the asker marked as viewed."""

    @extend_schema(operation_id="requests_viewed_list", responses=PartAnswer(many=True))
    def get(self, request: Request, ref: str) -> Response:
        """Every part, with your mark; a mark expires when the part changes."""
        return Response(_parts(*_seen(request, ref)))

    @extend_schema(operation_id="requests_mark_viewed", request=ViewedInput, responses=PartAnswer(many=True))
    def post(self, request: Request, ref: str) -> Response:
        """Mark a part as viewed, or take the mark away. Nobody else sees it."""
        person, snapshot = _seen(request, ref)
        given = read(ViewedInput, request.data)
        row, part = snapshot.request, PartName(given["part"])
        ViewedPart.mark(
            request=row,
            person_id=person.id,
            part=part,
            seen=given["digest"],
            present=part_digest(snapshot, part=part),
            is_viewed=given["is_viewed"],
            now=snapshot.now,
        )
        return Response(_parts(person, snapshot))


def _seen(request: Request, ref: str) -> tuple[Person, RequestSnapshot]:
    _, person, now = asker(request)
    return person, snapshot_of(find(ref=ref, person=person), now=now)


def _parts(person: Person, snapshot: RequestSnapshot) -> Any:
    return PartAnswer(part_views(snapshot, person=person), many=True).data
