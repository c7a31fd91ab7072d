"""The transition table on real rows: every step it has can be walked, every step it lacks is refused and records
nothing.
"""

from datetime import datetime

import pytest
from django.db import transaction

from governance.audit.models import AuditEvent
from reviews.requests import audit
from reviews.requests.domain.lifecycle import EDITABLE_STATES, TRANSITIONS, State
from reviews.requests.models import ReviewRequest
from tests.integration.toolkit.core.standstill import everything, refused
from weighbridge.core.errors import WrongState

STEPS = {(step.source, step.target) for step in TRANSITIONS}


def put(request: ReviewRequest, state: State) -> None:
    ReviewRequest.objects.filter(pk=request.pk).update(state=state)
    request.refresh_from_db()


@pytest.mark.parametrize("source", State)
def test_only_steps_of_the_table_move_a_request(submitted: ReviewRequest, now: datetime, source: State) -> None:
    put(submitted, source)
    for target in State:
        if (source, target) in STEPS:
            with transaction.atomic():
                audit.move(request=submitted, target=target, by=submitted.requester, now=now, reason="To see.")
            event = AuditEvent.objects.last()
            assert ReviewRequest.objects.get(pk=submitted.pk).state == target
            assert (event.kind, event.subject, event.reason) == (f"request.{target}", submitted.ref, "To see.")
            assert event.details == {"before": source.value, "after": target.value, "revision": 1}
            put(submitted, source)
        else:
            with refused(WrongState, match=f"cannot become {target.words}"):
                audit.move(request=submitted, target=target, by=None, now=now)


@pytest.mark.parametrize("state", State)
def test_evidence_is_edited_in_the_states_that_say_so(submitted: ReviewRequest, state: State) -> None:
    put(submitted, state)
    before = everything()
    if state in EDITABLE_STATES:
        audit.check_editable(submitted)
    else:
        with pytest.raises(WrongState, match=f"The request is {state.words}, so its evidence cannot be edited"):
            audit.check_editable(submitted)
    assert everything() == before


def test_the_way_back_is_named_where_there_is_one(submitted: ReviewRequest) -> None:
    hint = {}
    for state in (State.IN_REVIEW, State.CHANGES_REQUESTED, State.DECIDED):
        put(submitted, state)
        with pytest.raises(WrongState) as refusal:
            audit.check_editable(submitted)
        hint[state] = refusal.value.reason.endswith("Revise it first, which voids the votes.")
    assert hint == {State.IN_REVIEW: True, State.CHANGES_REQUESTED: True, State.DECIDED: False}
