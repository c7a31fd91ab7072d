"""The double speaks the protocol: streams and whole answers, usage, cache, limits, tools, reasoning."""

import json
import socket

import pytest

from examples.support_assistant.double.answers import Reply
from examples.support_assistant.double.law import Law
from examples.support_assistant.double.running import double_thread
from examples.support_assistant.double.tokens import prompt_of, tokens_of
from tests.unit.examples.support_assistant.double.chats import CHAT, USAGE, chat, post

QUICK = Law(ttft_ms=2.0, tpot_ms=0.2)
SEEN_ONCE = "Ein Brief, 🙂 und 12345 Punkte, die noch kein Test gefragt hat."
TEXT = "Das Paket kommt am Dienstag 🙂, für 12345 Punkte."


def shouted(request) -> str:
    return request["messages"][-1]["content"].upper()


def long_thought(request) -> Reply:
    return Reply(reasoning=" First I look.", text=" Done.")


@pytest.fixture(scope="module")
def double():
    with double_thread(QUICK, answer=shouted) as running:
        yield running


def test_a_stream_has_role_text_finish_usage_and_done(double) -> None:
    found = chat(double, SEEN_ONCE, stream_options=USAGE)
    assert (found.status, found.headers["content-type"], found.is_cut) == (200, "text/event-stream", False)
    assert found.chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": None}
    assert found.joined() == SEEN_ONCE.upper()
    assert found.finish == ["stop"]
    assert found.events[-1] == "[DONE]"
    last = found.chunks[-1]
    asked = prompt_of([{"role": "user", "content": SEEN_ONCE}])
    inputs, outputs = len(tokens_of(asked)), len(tokens_of(SEEN_ONCE.upper()))
    assert last["choices"] == []
    assert last["usage"] == {
        "prompt_tokens": inputs,
        "completion_tokens": outputs,
        "total_tokens": inputs + outputs,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
    assert all(each["usage"] is None for each in found.chunks[:-1])
    assert {each["model"] for each in found.chunks} == {QUICK.model}


def test_usage_comes_only_where_it_is_asked_for_and_with_every_chunk_if_asked(double) -> None:
    assert all("usage" not in each for each in chat(double, "abc").chunks)
    found = chat(double, "abc def", stream_options=USAGE | {"continuous_usage_stats": True})
    assert [each["usage"]["completion_tokens"] for each in found.chunks] == [0, 1, 2, 2, 2]
    assert chat(double, "abc", stream_options="yes").usage is None


def test_a_whole_answer_is_one_document(double) -> None:
    found = chat(double, TEXT, stream=False).document
    assert found["object"] == "chat.completion"
    assert found["choices"] == [
        {"index": 0, "message": {"role": "assistant", "content": TEXT.upper()}, "finish_reason": "stop"}
    ]
    assert found["usage"]["completion_tokens"] == len(tokens_of(TEXT.upper()))


def test_the_limit_of_the_request_cuts_the_answer(double) -> None:
    for name in ("max_tokens", "max_completion_tokens"):
        found = chat(double, "one two three four", stream_options=USAGE, **{name: 2})
        assert (found.joined(), found.finish, found.usage["completion_tokens"]) == ("ONE TWO", ["length"], 2)
    exact = chat(double, "one two", max_tokens=2)
    assert (exact.joined(), exact.finish) == ("ONE TWO", ["stop"])
    forced = chat(double, "one", max_tokens=7, ignore_eos=True, stream_options=USAGE)
    assert (forced.finish, forced.usage["completion_tokens"]) == (["length"], 7)


def test_characters_of_four_bytes_are_three_tokens_and_one_chunk(double) -> None:
    found = chat(double, "🙂🙂", stream_options=USAGE)
    assert found.joined() == "🙂🙂"
    assert found.usage["completion_tokens"] == 6
    assert [each["choices"][0]["delta"] for each in found.chunks[1:3]] == [{"content": "🙂"}, {"content": "🙂"}]


def test_the_tokenizer_of_the_server_agrees_with_its_usage(double) -> None:
    messages = [
        {"role": "system", "content": [{"type": "text", "text": "Be kind."}]},
        {"role": "user", "content": TEXT},
    ]
    prompt = double.ask("POST", "/apply-template", {"messages": messages})["prompt"]
    count = len(double.ask("POST", "/tokenize", {"content": prompt})["tokens"])
    found = post(double, json.dumps({"messages": messages}).encode()).document
    assert found["usage"]["prompt_tokens"] == count


def test_a_prefix_that_was_sent_before_is_cached_in_whole_blocks(double) -> None:
    system = {"role": "system", "content": "rules " * 40}

    def cached(question, **more):
        request = {"messages": [system, {"role": "user", "content": question}], **more}
        usage = post(double, json.dumps(request).encode()).document["usage"]
        return usage["prompt_tokens_details"]["cached_tokens"]

    assert cached("one") == 0
    shared = len(tokens_of(prompt_of([system]).removesuffix("<|assistant|>\n")))
    assert cached("two") == shared // 16 * 16 > 0
    assert cached("two", cache_prompt=False) == 0


def test_reasoning_and_tool_calls_come_in_parts_of_their_own() -> None:
    with double_thread(QUICK, answer=long_thought) as double:
        found = chat(double, "x", stream_options=USAGE)
        assert (found.joined("reasoning_content"), found.joined()) == (" First I look.", " Done.")
        assert found.usage["completion_tokens_details"]["reasoning_tokens"] == len(tokens_of(" First I look."))
        whole = chat(double, "x", stream=False).document["choices"][0]["message"]
        assert whole == {"role": "assistant", "content": " Done.", "reasoning_content": " First I look."}
        tool = [{"type": "function", "function": {"name": "route_the_ticket"}}]
        called = chat(double, "to whom? [[double tool_calls]]", tools=tool)
        calls = [call for each in called.chunks for c in each["choices"] for call in c["delta"].get("tool_calls", ())]
        assert calls[0] == {
            "index": 0,
            "id": "call_0",
            "type": "function",
            "function": {"name": "route_the_ticket", "arguments": ""},
        }
        assert "id" not in calls[1]
        arguments = "".join(call["function"]["arguments"] for call in calls)
        assert json.loads(arguments) == {"question": "to whom? [[double tool_calls]]"}
        assert called.finish == ["tool_calls"]
        refused = chat(double, "[[double refusal]]")
        assert (refused.joined("refusal"), refused.joined()) == ("I cannot help with that.", "")


def test_a_prompt_beyond_the_context_is_refused_as_llama_cpp_does() -> None:
    with double_thread(Law(context_tokens=50)) as double:
        found = chat(double, "word " * 60)
        assert found.status == 400
        error = found.document["error"]
        assert (error["code"], error["type"], error["n_ctx"]) == (400, "exceed_context_size_error", 50)
        assert error["n_prompt_tokens"] > 60


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"messages": []}', b'{"messages": ["x"]}', b"", b"[" * 100_000])
def test_what_is_no_chat_is_refused(double, body) -> None:
    found = post(double, body)
    assert (found.status, found.document["error"]["type"]) == (400, "invalid_request_error")


def test_other_addresses_answer_too(double) -> None:
    assert double.ask("GET", "/health") == {"status": "ok"}
    assert double.ask("GET", "/v1/models")["data"][0]["id"] == QUICK.model
    assert "There is no /v1/embeddings" in double.ask("POST", "/v1/embeddings", {})["error"]["message"]
    assert "seconds" in double.ask("POST", "/double/freeze", {"after_s": "now"})["error"]["message"]
    assert "zero or more" in double.ask("POST", "/double/freeze", {"after_s": -1, "for_s": 1})["error"]["message"]


def raw(double, *parts: bytes) -> bytes:
    """Send bytes, and read until the server closes."""
    with socket.create_connection(("127.0.0.1", double.port), timeout=30) as wire:
        for part in parts:
            wire.sendall(part)
        found = b""
        while data := wire.recv(65_536):
            found += data
    return found


def test_requests_may_be_pipelined_chunked_and_wait_for_a_word(double) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "abc"}]}).encode()
    chunked = b"%x;note\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\n".encode()
    counted = b"Content-Length: %d\r\nExpect: 100-continue\r\n" % len(body)
    found = raw(
        double,
        head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked[:30],
        chunked[30:] + head + counted + b"Connection: close\r\n\r\n",
        body,
    )
    assert found.count(b"HTTP/1.1 200 OK") == found.count(b'"content":"ABC"') == 2
    assert found.count(b"HTTP/1.1 100 Continue") == 1


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n", 413),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, 431),
    ],
)
def test_what_is_no_request_ends_the_connection(double, sent, status) -> None:
    assert raw(double, sent).startswith(f"HTTP/1.1 {status} ".encode())
