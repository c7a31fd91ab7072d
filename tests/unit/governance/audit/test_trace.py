"""Marks: inherited inwards, gone outwards, and empty ones say nothing."""

from governance.audit.domain import correlation as trace


def test_marks_are_carried_inside_and_gone_outside() -> None:
    assert (trace.marks(), trace.request_id()) == ({}, "")
    with trace.marked(request_id="r1", user_id=""):
        with trace.marked(outbox_key="k"):
            assert trace.marks() == {"request_id": "r1", "outbox_key": "k"}
        with trace.marked(request_id="", task="t"):
            assert (trace.request_id(), trace.marks()) == ("r1", {"request_id": "r1", "task": "t"})
        assert trace.marks() == {"request_id": "r1"}
    assert trace.marks() == {}


def test_the_answer_is_a_copy() -> None:
    with trace.marked(request_id="r1"):
        trace.marks()["request_id"] = "r2"
        assert trace.request_id() == "r1"
