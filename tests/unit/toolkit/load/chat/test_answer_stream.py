"""One streamed answer: moments, text, tokens, and every fault of a server by its name."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.toolkit.load.chat.streams import DONE, MS, SOUND, event, streamed, usage
from weighbridge.load.chat.answer_stream import UNKNOWN, AnswerStream, StreamEnd
from weighbridge.load.results.samples import NEVER, RequestOutcome


def test_the_moments_of_a_sound_answer():
    stream = streamed(*SOUND)
    assert stream.outcome(200) == (RequestOutcome.CHECKED, "", b"")
    assert (stream.first_ns, stream.first_answer_ns, stream.finish_ns) == (20 * MS, 20 * MS, 40 * MS)
    assert list(stream.chunk_ns) == [20 * MS, 30 * MS]
    assert "".join(stream.text) == "Hello"
    assert stream.first_text == "Hel"
    assert stream.usage == {"input_tokens": 12, "cached_tokens": 4, "output_tokens": 3, "reasoning_tokens": 0}
    assert (stream.finish, stream.is_done, stream.coalesced, stream.first_tokens) == (StreamEnd.STOP, True, 0, UNKNOWN)


def test_an_event_of_the_role_alone_is_no_token():
    stream = streamed(event({"role": "assistant", "content": ""}))
    assert (stream.first_ns, stream.events) == (NEVER, 1)


@given(cuts=st.lists(st.integers(0, len(b"".join(SOUND))), max_size=10))
def test_any_division_gives_the_same_answer_and_moments_never_decrease(cuts):
    whole = b"".join(SOUND)
    places = [0, *sorted(cuts), len(whole)]
    stream = streamed(*(whole[start:end] for start, end in itertools.pairwise(places)))
    assert stream.outcome(200)[0] is RequestOutcome.CHECKED
    assert ("".join(stream.text), stream.usage) == ("Hello", streamed(*SOUND).usage)
    moments = [stream.first_ns, *stream.chunk_ns, stream.finish_ns]
    assert moments == sorted(moments)


def test_events_of_one_read_share_its_moment_and_are_counted():
    stream = streamed(b"".join(SOUND))
    assert list(stream.chunk_ns) == [10 * MS, 10 * MS]
    assert stream.coalesced == 1


def test_reasoning_is_a_token_and_no_answer():
    stream = streamed(
        event({"reasoning_content": "hm"}), event({"reasoning": "so"}), event({"content": "4"}), event(finish="stop")
    )
    assert (stream.first_ns, stream.first_answer_ns) == (10 * MS, 30 * MS)
    assert "".join(stream.reasoning) == "hmso"


def test_calls_of_tools_are_joined_from_their_parts():
    def call(index, **function):
        return event({"tool_calls": [{"index": index, "function": function}, "no call", {"index": 3}]})

    stream = streamed(
        call(0, name="find", arguments='{"id"'),
        call(1, name="end"),
        call(0, arguments=": 7}"),
        event(finish="tool_calls"),
    )
    assert stream.tool_calls() == [{"name": "find", "arguments": '{"id": 7}'}, {"name": "end", "arguments": ""}]
    assert (stream.finish, stream.first_answer_ns) == (StreamEnd.TOOL_CALLS, 10 * MS)
    assert stream.outcome(200)[0] is RequestOutcome.CHECKED


def test_a_refusal_is_an_answer():
    stream = streamed(event({"refusal": "I can"}), event({"refusal": "not."}), event(finish="stop"))
    assert "".join(stream.refusal) == "I cannot."
    assert stream.outcome(200)[0] is RequestOutcome.CHECKED


def test_a_filter_may_leave_no_token():
    stream = streamed(event(finish="content_filter"), DONE)
    assert stream.outcome(200)[0] is RequestOutcome.CHECKED


def test_usage_in_every_part_counts_the_tokens_of_the_first():
    stream = streamed(
        event({"content": "ab"}, usage=usage(completion=2)),
        event({"content": "c"}, usage=usage(completion=3)),
        event(finish="stop"),
    )
    assert (stream.first_tokens, stream.usage["output_tokens"]) == (2, 3)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"prompt_tokens": 3}, None),
        ({"prompt_tokens": "3", "completion_tokens": 2}, None),
        ({"prompt_tokens": True, "completion_tokens": 2}, None),
        ({"prompt_tokens": -1, "completion_tokens": 2}, None),
        ({"prompt_tokens": 3, "completion_tokens": 10**9}, None),
        (usage(3, 2, cached=4), (3, UNKNOWN, 2, UNKNOWN)),
        (usage(3, 2, cached=3, reasoning=2), (3, 3, 2, 2)),
    ],
)
def test_counts_that_cannot_be_are_unknown(counts, expected):
    stream = streamed(event(usage=counts))
    assert (tuple(stream.usage.values()) if stream.usage else None) == expected


@pytest.mark.parametrize(
    ("chunks", "status", "outcome", "words"),
    [
        ([b"<html>Sign in"], 200, RequestOutcome.NOT_STREAMED, "not a stream of events"),
        ([b'{"choices": []}'], 200, RequestOutcome.NOT_STREAMED, "not a stream of events"),
        ([b'event: message_start\ndata: {"type": "message_start"}\n\n'], 200, RequestOutcome.NOT_STREAMED, "(choices)"),
        ([b"slow down"], 429, RequestOutcome.BUSY, "status 429"),
        ([b"loading"], 503, RequestOutcome.BUSY, "status 503"),
        (
            [b'{"error": {"type": "exceed_context_size_error"}}'],
            400,
            RequestOutcome.CONTEXT_TOO_LONG,
            "longer than the",
        ),
        ([b'{"error": {"code": "context_length_exceeded"}}'], 400, RequestOutcome.CONTEXT_TOO_LONG, "longer than the"),
        ([b'{"error": "unknown parameter"}'], 400, RequestOutcome.WRONG_STATUS, "status 400"),
        ([b"no key"], 401, RequestOutcome.WRONG_STATUS, "status 401"),
        ([event({"content": "a"}), event(error={"message": "gone"})], 200, RequestOutcome.STREAM_ERROR, "gone"),
        ([event({"content": "a"}), event(error="gone")], 200, RequestOutcome.STREAM_ERROR, "gone"),
        ([event({"content": "a"}), DONE], 200, RequestOutcome.CUT_SHORT, "without a finish_reason"),
        ([event({"role": "assistant"}), event(finish="stop")], 200, RequestOutcome.EMPTY, "no text"),
        ([b"data: {\n\n"], 200, RequestOutcome.GARBAGE, "not JSON"),
        ([b"data: [1]\n\n"], 200, RequestOutcome.GARBAGE, "not an object"),
        ([b"data: " + b"x" * 1_000_001], 200, RequestOutcome.GARBAGE, "longer than 1,000,000 bytes"),
        ([event({"content": "a"}, finish="stop"), event(finish="stop")], 200, RequestOutcome.REPEATED, "second finish"),
        ([event({"content": "a"}, finish="stop"), event({"content": "b"})], 200, RequestOutcome.REPEATED, "goes on"),
        ([event({"content": "a"}, finish="stop"), DONE, DONE], 200, RequestOutcome.REPEATED, "ended twice"),
    ],
)
def test_every_fault_has_its_name(chunks, status, outcome, words):
    found, why, _ = streamed(*chunks).outcome(status)
    assert found is outcome
    assert words in why


def test_the_first_fault_is_kept():
    stream = streamed(b"data: {\n\n", event(error="later"))
    assert stream.outcome(200)[0] is RequestOutcome.GARBAGE


def test_what_is_no_choice_is_skipped():
    stream = streamed(
        event(),
        b'data: {"choices": ["x"]}\n\n',
        b'data: {"choices": [{"index": 1, "delta": {"content": "b"}}]}\n\n',
        b'data: {"choices": [{"index": 0, "delta": "x"}]}\n\n',
        event({"content": "a"}),
        event(finish="weird"),
    )
    assert ("".join(stream.text), stream.finish) == ("a", StreamEnd.OTHER)


def test_the_models_that_answer_are_named():
    stream = streamed(event({"content": "a"}, model="m-1", system_fingerprint="fp"), event(finish="stop", model="m-2"))
    assert stream.fingerprints == {"m-1 fp", "m-2"}


def test_half_a_character_between_two_events_is_replaced():
    stream = streamed(b'data: {"choices": [{"delta": {"content": "\\ud83d"}}]}\n\n', event(finish="stop"))
    assert "".join(stream.text) == "\N{REPLACEMENT CHARACTER}"


def test_closing_keeps_what_is_asked_for():
    stream = streamed(event({"content": "a"}), event({"content": "b"}), event({"content": "c"}), event(finish="stop"))
    stream.close(keeps_text=False, keeps_chunks=False)
    assert (stream.chunks, stream.largest_gap_ns, stream.text, list(stream.chunk_ns)) == (3, 10 * MS, [], [])
    kept = streamed(*SOUND)
    kept.close(keeps_text=True, keeps_chunks=True)
    assert ("".join(kept.text), len(kept.chunk_ns)) == ("Hello", 2)
    empty = AnswerStream()
    empty.close(keeps_text=True, keeps_chunks=True)
    assert (empty.chunks, empty.largest_gap_ns) == (0, NEVER)
