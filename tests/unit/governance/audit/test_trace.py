"""Marks: inherited inwards, gone outwards, and empty ones say nothing."""

from governance.audit.domain import correlation as trace


def test_marks_are_carried_inside_and_gone_outside() -> None:
    assert (trace.correlation_ids(), trace.request_id()) == ({}, "")
    with trace.correlated(request_id="r1", user_id=""):
        with trace.correlated(outbox_key="k"):
            assert trace.correlation_ids() == {"request_id": "r1", "outbox_key": "k"}
        with trace.correlated(request_id="", task="t"):
            assert (trace.request_id(), trace.correlation_ids()) == ("r1", {"request_id": "r1", "task": "t"})
        assert trace.correlation_ids() == {"request_id": "r1"}
    assert trace.correlation_ids() == {}


def test_the_answer_is_a_copy() -> None:
    with trace.correlated(request_id="r1"):
        trace.correlation_ids()["request_id"] = "r2"
        assert trace.request_id() == "r1"
