"""The transition table on real rows: every step it has can be walked, every step it lacks is refused and records
nothing.
"""

from datetime import datetime

import pytest
from django.db import transaction

from governance.audit.models import AuditEvent
from reviews.requests import actions
from reviews.requests.domain.lifecycle import EDITABLE_STATES, TRANSITIONS, RequestState, check_editable
from reviews.requests.models import ReviewRequest
from tests.standstill import refused
from weighbridge.core.errors import WrongState

STEPS = {(step.source, step.target) for step in TRANSITIONS}


def put(request: ReviewRequest, state: RequestState) -> None:
    ReviewRequest.objects.filter(pk=request.pk).update(state=state)
    request.refresh_from_db()


@pytest.mark.parametrize("source", RequestState)
def test_only_steps_of_the_table_move_a_request(submitted: ReviewRequest, now: datetime, source: RequestState) -> None:
    put(submitted, source)
    for target in RequestState:
        if (source, target) in STEPS:
            with transaction.atomic():
                actions.move(request=submitted, target=target, by=submitted.requester, now=now, reason="To see.")
            event = AuditEvent.objects.last()
            assert ReviewRequest.objects.get(pk=submitted.pk).state == target
            assert (event.kind, event.subject, event.reason) == (f"request.{target}", submitted.ref, "To see.")
            assert event.details == {"before": source.value, "after": target.value, "revision": 1}
            put(submitted, source)
        else:
            with refused(WrongState, match=f"cannot become {target.words}"):
                actions.move(request=submitted, target=target, by=None, now=now)


@pytest.mark.parametrize("state", RequestState)
def test_evidence_is_edited_in_the_states_that_say_so(state: RequestState) -> None:
    if state in EDITABLE_STATES:
        check_editable(source=state)
    else:
        with pytest.raises(WrongState, match=f"The request is {state.words}, so its evidence cannot be edited"):
            check_editable(source=state)


def test_the_way_back_is_named_where_there_is_one() -> None:
    hint = {}
    for state in (RequestState.IN_REVIEW, RequestState.CHANGES_REQUESTED, RequestState.DECIDED):
        with pytest.raises(WrongState) as refusal:
            check_editable(source=state)
        hint[state] = refusal.value.reason.endswith("Revise it first, which voids the votes.")
    assert hint == {RequestState.IN_REVIEW: True, RequestState.CHANGES_REQUESTED: True, RequestState.DECIDED: False}
