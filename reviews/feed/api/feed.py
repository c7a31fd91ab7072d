"""The feed over HTTP: its entries, its head, and proofs. Everybody with a token may read it: it names nobody."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.api.caller import asker
from governance.site.api.shapes import Answer, Input, answer_of, read
from reviews.feed.queries import entries, heads
from weighbridge.client.feed.entries import Entry

POSITION_MAX = 2**63 - 1
EntryAnswer = answer_of(Entry)


def _proof(text: str) -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(), help_text=text)


class FeedPageAnswer(Answer):
    """Entries in the order of their positions, at most a thousand."""

    entries = EntryAnswer(many=True)


class FeedHeadAnswer(Answer):
    """The signed head of the feed."""

    head = serializers.JSONField(help_text="DSSE envelope of the head: size and root of the tree of all entries.")
    consistency = _proof("RFC 6962 proof that the first `known` entries are a prefix; hexadecimal hashes.")


class FeedEntryAnswer(Answer):
    """One entry, with the proof that it is in the feed."""

    entry = EntryAnswer()
    inclusion = _proof("RFC 6962 proof that the entry is in the tree of the head; hexadecimal hashes.")
    head = serializers.JSONField(help_text="DSSE envelope of the head.")


class AfterInput(Input):
    """After which position."""

    after = serializers.IntegerField(required=False, min_value=0, max_value=POSITION_MAX, default=0)


class KnownInput(Input):
    """How many entries the caller knows."""

    known = serializers.IntegerField(required=False, min_value=0, max_value=POSITION_MAX, default=0)


class FeedPage(APIView):
    """The entries of the feed."""

    @extend_schema(operation_id="feed_list", parameters=[AfterInput], responses=FeedPageAnswer)
    def get(self, request: Request) -> Response:
        """The entries after a position; ask again after the last one until the head's size is reached."""
        given = read(AfterInput, request.query_params)
        return Response(FeedPageAnswer({"entries": entries.page(after=given["after"])}).data)


class FeedHead(APIView):
    """The head of the feed."""

    @extend_schema(operation_id="feed_head", parameters=[KnownInput], responses=FeedHeadAnswer)
    def get(self, request: Request) -> Response:
        """A fresh head, and the proof that the entries known to the caller are still there."""
        *_, now = asker(request)
        given = read(KnownInput, request.query_params)
        head = heads.head_at(now)
        proof = heads.consistency(known=given["known"], size=head.size)
        return Response(FeedHeadAnswer({"head": heads.signed_head(head), "consistency": proof}).data)


class FeedEntryDetail(APIView):
    """One entry of the feed."""

    @extend_schema(operation_id="feed_entry", responses=FeedEntryAnswer)
    def get(self, request: Request, position: int) -> Response:
        """The entry at a position, with its inclusion proof under a fresh head."""
        *_, now = asker(request)
        entry, head = entries.entry_at(min(position, POSITION_MAX)), heads.head_at(now)
        proof = heads.inclusion(position=entry.position, size=head.size)
        answer = {"entry": entry, "inclusion": proof, "head": heads.signed_head(head)}
        return Response(FeedEntryAnswer(answer).data)
