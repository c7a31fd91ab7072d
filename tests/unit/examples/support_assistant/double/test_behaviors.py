"""Every kind of bad behavior: by the question, and for each n-th request by the law."""

import http.client
import itertools

import pytest

from examples.support_assistant.double.behaviors import BEHAVIORS, GIANT_BYTES
from examples.support_assistant.double.law import Law
from examples.support_assistant.double.running import double_thread
from examples.support_assistant.double.serving import REPLIES, Double
from tests.unit.examples.support_assistant.double.chats import USAGE, chat
from weighbridge.core.errors import Invalid

LAW = Law(ttft_ms=2.0, tpot_ms=0.2, pause_s=0.3, retry_after_s=7)
ANSWER = "The order is on its way to you today."


@pytest.fixture(scope="module")
def double():
    with double_thread(LAW, answer=lambda _: ANSWER) as running:
        yield running


def behaving(double, name: str, **fields):
    return chat(double, f"Where is it? [[double {name}]]", stream_options=USAGE, **fields)


STATUS = {
    "busy": (429, "rate_limit_exceeded"),
    "busy_retry_after": (429, "rate_limit_exceeded"),
    "unavailable": (503, "unavailable_error"),
    "unauthorized": (401, "invalid_api_key"),
    "too_long": (400, "exceed_context_size_error"),
    "too_long_openai": (400, "invalid_request_error"),
}


@pytest.mark.parametrize("name", STATUS)
@pytest.mark.parametrize("stream", [True, False])
def test_refusals_have_a_status_and_a_document(double, name, stream) -> None:
    found = behaving(double, name, stream=stream)
    assert (found.status, found.document["error"]["type"]) == STATUS[name]
    assert found.headers.get("retry-after") == ("7" if name == "busy_retry_after" else None)


def test_the_code_of_a_prompt_that_is_too_long_is_a_word_at_openai(double) -> None:
    assert behaving(double, "too_long_openai").document["error"]["code"] == "context_length_exceeded"


def test_a_page_instead_of_an_answer(double) -> None:
    found = behaving(double, "html")
    assert (found.status, found.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert found.body.startswith(b"<!DOCTYPE html>")


def test_parts_of_the_stream_are_missing(double) -> None:
    assert behaving(double, "no_usage").usage is None
    assert "[DONE]" not in behaving(double, "no_done").events
    assert behaving(double, "no_finish").finish == []
    empty = behaving(double, "empty")
    assert (empty.joined(), empty.finish, empty.usage) == ("", ["stop"], None)
    assert "usage" not in behaving(double, "no_usage", stream=False).document


@pytest.mark.parametrize("stream", [True, False])
def test_the_connection_closes_in_the_middle_of_the_answer_or_before_it(double, stream) -> None:
    early = behaving(double, "close_early", stream=stream)
    assert early.is_cut
    if stream:
        assert 0 < len(early.joined()) < len(ANSWER)
    with pytest.raises(http.client.RemoteDisconnected):
        behaving(double, "close_at_once", stream=stream)


@pytest.mark.parametrize("name", ["stall", "never"])
@pytest.mark.parametrize("stream", [True, False])
def test_the_answer_stalls_or_never_starts(double, name, stream) -> None:
    with pytest.raises(TimeoutError):
        behaving(double, name, stream=stream, timeout=0.2)


def test_the_answer_rests_in_its_middle(double) -> None:
    assert behaving(double, "pause").joined() == ANSWER
    written = double.records()["requests"][-1]["written_ns"]
    gaps = [(after - before) / 1e9 for before, after in itertools.pairwise(written)]
    assert LAW.pause_s - 0.001 <= max(gaps) < 5


def test_events_repeat(double) -> None:
    found = behaving(double, "repeat")
    assert len(found.joined()) == 2 * len(ANSWER)
    assert sum(bool(each.get("usage")) for each in found.chunks) == 2


def test_an_error_or_nonsense_comes_within_the_stream(double) -> None:
    assert behaving(double, "error_event").chunks[-1]["error"]["type"] == "server_error"
    with pytest.raises(ValueError, match="Expecting value"):
        behaving(double, "bad_json").chunks  # noqa: B018 -- reading is what fails
    with pytest.raises(UnicodeDecodeError):
        behaving(double, "bad_utf8").body.decode()


@pytest.mark.parametrize("stream", [True, False])
def test_another_reason_to_finish_and_another_model(double, stream) -> None:
    for reason in ("length", "content_filter"):
        found = behaving(double, reason, stream=stream)
        reasons = found.finish if stream else [found.document["choices"][0]["finish_reason"]]
        assert reasons == [reason]
    changed = behaving(double, "change_model", stream=stream)
    models = {each["model"] for each in (changed.chunks if stream else [changed.document])}
    assert models == ({LAW.model} if stream else set()) | {"another-2026-10-01"}


def test_everything_in_one_chunk(double) -> None:
    found = behaving(double, "one_chunk")
    texts = [choice["delta"].get("content") for each in found.chunks for choice in each["choices"]]
    assert [text for text in texts if text] == [ANSWER]
    assert found.usage["completion_tokens"] > 5


def test_comments_lines_of_other_kinds_and_types(double) -> None:
    comments = behaving(double, "comments").body
    assert comments.count(b": keep-alive\n\n") == comments.count(b"\nevent: message\nid: 7\n") > 5
    crlf = behaving(double, "crlf")
    assert crlf.joined() == ANSWER
    assert crlf.body.count(b"\n") == crlf.body.count(b"\r\n") > 10
    assert behaving(double, "wrong_type").headers["content-type"] == "text/plain"
    giant = behaving(double, "giant_line")
    assert len(giant.body) > 2 * GIANT_BYTES
    assert giant.joined() == ANSWER
    split = behaving(double, "split_lines").body
    assert split.count(b"data: {") * 2 == split.count(b"data: ") - 1
    bare = behaving(double, "no_last_blank")
    assert bare.body.endswith(b"\n\ndata: [DONE]")
    assert not bare.is_cut
    unframed = behaving(double, "until_close")
    assert (unframed.joined(), unframed.headers["connection"]) == (ANSWER, "close")


def test_what_only_streams_can_do_leaves_whole_answers_alone(double) -> None:
    for name in ("giant_line", "comments", "empty", "bad_json"):
        assert behaving(double, name, stream=False).document["choices"][0]["message"]["content"] == ANSWER


def test_the_law_lets_each_nth_request_behave_badly() -> None:
    with double_thread(Law(ttft_ms=1, tpot_ms=0, behavior="busy", every=3)) as double:
        assert [chat(double, "x").status for _ in range(7)] == [200, 200, 429, 200, 200, 429, 200]
        assert chat(double, "[[double unknown]]").status == 200
        assert [each["behavior"] for each in double.records()["requests"]] == ["", "", "busy"] * 2 + ["", ""]


def test_a_behavior_that_is_none_is_refused() -> None:
    with pytest.raises(Invalid, match=r"is called bad\. There are: bad_json, bad_utf8, busy"):
        Double(Law(behavior="bad"))


def test_no_name_stands_twice() -> None:
    assert set(BEHAVIORS).isdisjoint(REPLIES)
