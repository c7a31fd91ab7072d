"""Load tests of a double whose times, tokens and faults are stated, through the interface that users call."""

import contextlib
import json
import socket
import threading

import numpy as np
import pytest
import tokenizers
from typer.testing import CliRunner

import weighbridge
from examples.support_assistant.double.law import Law
from examples.support_assistant.double.running import double_thread
from tests.unit.toolkit.load.servers import pinned
from weighbridge import Chat, load_test
from weighbridge.cli.app import app
from weighbridge.core.errors import Invalid
from weighbridge.load.chat.tokenize import count_of_file, count_of_server
from weighbridge.load.results.samples import read_samples
from weighbridge.quality.prompts.answer_file import read_answers

PATH = "/v1/chat/completions"
KEY = "sk-1234567890abcdef"
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"
NO_TOKENS = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
QUICK = Law(ttft_ms=2, tpot_ms=1, cache_block=0)


def prompt_file(tmp_path, *prompts):
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(json.dumps({"id": f"p-{n}", **prompt}) + "\n" for n, prompt in enumerate(prompts)))
    return path


def loaded(tmp_path, law=QUICK, *, prompts=({"prompt": "hello"},), chat=None, **options):
    given = {
        "prompts": prompt_file(tmp_path, *prompts),
        "ttft_ms": 20_000,
        "answers": tmp_path / "a.jsonl",
        **(chat or {}),
    }
    with double_thread(law) as double:
        plan = {"rate": 40, "duration": "1s", "timeout": "20s", **options}
        result = load_test(double.address + PATH, chat=Chat(**given), **plan)
        return result.document, double.records()["requests"]


def codes(document):
    return {reason["code"] for reason in document["verdict"]["reasons"]}


def test_tokens_and_answers_are_those_that_the_server_states(tmp_path):
    document, records = loaded(tmp_path, prompts=[{"prompt": f"question {n}"} for n in range(30)], arrivals="constant")
    assert document["metrics"]["error_rate"]["value"] == 0
    assert document["streaming"]["tokens"]["output"] == sum(record["output_tokens"] for record in records)
    assert document["streaming"]["good"]["good"] == 40
    assert document["plan"]["chat"]["prompts"] == "questions.jsonl"
    assert str(tmp_path) not in json.dumps(document)
    answers = read_answers(tmp_path / "a.jsonl").answers
    assert len(answers) == document["answers"]["n"] == 40
    assert {answer.id for answer in answers} == {f"p-{n}" for n in range(30)}
    assert sum(answer.attempt == 1 for answer in answers) == 10


@pytest.mark.parametrize(
    ("behavior", "kind"),
    [
        ("html", "not_streamed"),
        ("busy", "busy"),
        ("busy_retry_after", "busy"),
        ("unavailable", "busy"),
        ("unauthorized", "wrong_status"),
        ("too_long", "context_too_long"),
        ("too_long_openai", "context_too_long"),
        ("error_event", "stream_error"),
        ("bad_json", "garbage"),
        ("no_finish", "cut_short"),
        ("close_early", "cut_short"),
        ("close_at_once", "lost"),
        ("stall", "stalled"),
        ("never", "timed_out"),
        ("giant_line", "garbage"),
        ("bad_utf8", "garbage"),
        ("empty", "empty"),
    ],
)
def test_every_bad_behavior_has_a_name_and_loses_nothing_else(tmp_path, behavior, kind):
    law = Law(ttft_ms=2, tpot_ms=1, behavior=behavior, every=4, cache_block=0)
    timeout = "3s" if kind in ("stalled", "timed_out") else "20s"
    document, _ = loaded(tmp_path, law, arrivals="constant", rate=20, timeout=timeout)
    [error] = document["errors"]
    assert (error["kind"], error["count"]) == (kind, 5)
    assert error["first"]
    answers = read_answers(tmp_path / "a.jsonl").answers
    assert [answer.error.startswith(f"{kind}: ") for answer in answers if answer.error] == [True] * 5
    assert sum(not answer.error for answer in answers) == 15
    assert document["streaming"]["good"]["good"] == 15


@pytest.mark.parametrize(
    "behavior",
    ["comments", "crlf", "split_lines", "no_last_blank", "until_close", "wrong_type", "no_done", "pause"],
)
def test_what_is_allowed_is_read(tmp_path, behavior):
    law = Law(ttft_ms=2, tpot_ms=1, behavior=behavior, pieces=3, cache_block=0, pause_s=0.1)
    document, records = loaded(tmp_path, law, arrivals="constant", rate=10)
    assert document["errors"] == []
    assert document["streaming"]["tokens"]["output"] == sum(record["output_tokens"] for record in records)


@pytest.mark.parametrize(
    ("law", "chat", "code"),
    [
        ({"behavior": "no_usage"}, {}, "tokens.unknown"),
        ({"behavior": "change_model"}, {}, "model.changed"),
        ({"behavior": "one_chunk", "output": "9"}, {}, "stream.none"),
        ({"events_per_write": 6, "output": "12"}, {}, "stream.coalesced"),
        ({"behavior": "length"}, {"max_tokens": 50}, "output.truncated"),
        ({"cache_block": 1}, {}, "cache.warm"),
    ],
)
def test_doubts_have_a_reason(tmp_path, law, chat, code):
    document, _ = loaded(tmp_path, Law(**{"ttft_ms": 2, "tpot_ms": 1, "cache_block": 0, **law}), chat=chat)
    assert code in codes(document)


def test_a_conversation_goes_on_with_the_answers_and_think_times(tmp_path):
    prompts = [{"prompt": f"turn {turn}", "session": name, "turn": turn} for name in "ab" for turn in range(3)]
    document, records = loaded(
        tmp_path, prompts=prompts, chat={"think": "50ms"}, rate=8, duration="1s", arrivals="constant"
    )
    assert document["errors"] == []
    # A later turn also sends what was said before it.
    assert max(record["input_tokens"] for record in records) > min(record["input_tokens"] for record in records)
    answers = read_answers(tmp_path / "a.jsonl").answers
    firsts = sum(answer.id in ("p-0", "p-3") for answer in answers)
    assert firsts == 8
    assert len(answers) > firsts


def test_a_conversation_ends_at_a_turn_that_fails(tmp_path):
    prompts = [{"prompt": f"turn {turn} [[double busy]]", "session": "s", "turn": turn} for turn in range(3)]
    document, records = loaded(tmp_path, prompts=prompts, rate=5, arrivals="constant")
    assert [error["kind"] for error in document["errors"]] == ["busy"]
    assert len(records) == 5


def test_a_replay_keeps_its_times(tmp_path):
    prompts = [{"prompt": "x", "at_s": at_s} for at_s in (10.0, 10.4, 11.0)]
    samples = tmp_path / "s.npz"
    document, _ = loaded(tmp_path, prompts=prompts, chat={"speed": 2}, arrivals="trace", duration="", samples=samples)
    with samples.open("rb") as file:
        due = read_samples(file).scheduled_ns / 1e9
    assert due.tolist() == pytest.approx([0, 0.2, 0.5])
    assert document["plan"]["duration_s"] == pytest.approx(0.501)
    assert document["plan"]["rate_per_s"] == pytest.approx(3 / 0.501)


def test_users_of_a_closed_loop_wait_for_their_answers(tmp_path):
    document, records = loaded(tmp_path, rate=None, closed=2, think="10ms", duration="1s")
    assert document["loop"] == "closed"
    assert document["errors"] == []
    assert len(records) > 4


def test_several_processes_are_merged_in_order(tmp_path):
    prompts = [{"prompt": f"question {n}"} for n in range(40)]
    document, _ = loaded(tmp_path, prompts=prompts, processes=2, arrivals="constant")
    answers = read_answers(tmp_path / "a.jsonl").answers
    assert {answer.id for answer in answers} == {f"p-{n}" for n in range(40)}
    assert document["streaming"]["good"]["n"] == 40


@pytest.mark.parametrize(
    ("chat", "words"),
    [
        ({"prompts": None}, "--prompts FILE, or --generate LAW"),
        ({"generate": "input=5"}, "--prompts FILE, or --generate LAW"),
        ({"prompts": "missing.jsonl"}, "cannot be read"),
        ({"key_env": "NO_SUCH_KEY"}, "no API key in the variable NO_SUCH_KEY"),
        ({"key_file": "missing.key"}, "cannot be read as text"),
        ({"tokenizer": "missing.json"}, "is not a file of the package tokenizers"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_sent(tmp_path, chat, words):
    with pytest.raises(Invalid, match=words):
        loaded(tmp_path, chat=chat)


def test_a_search_needs_limits_and_a_steady_rate(tmp_path):
    sessions = [{"prompt": "x", "session": "s"}]
    for prompts, chat, words in (
        ([{"prompt": "x"}], {"ttft_ms": None}, "--ttft-ms"),
        (sessions, {}, "prompts with sessions have none"),
    ):
        with pytest.raises(Invalid, match=words):
            loaded(tmp_path, prompts=prompts, chat={**chat, "answers": None}, find_max=True)


def test_the_key_is_in_no_result(tmp_path, monkeypatch):
    key = KEY
    monkeypatch.setenv("MODEL_KEY", key)
    (tmp_path / "key").write_text(f"{key}\n")
    for given in ({"key_env": "MODEL_KEY"}, {"key_file": tmp_path / "key"}):
        document, _ = loaded(tmp_path, chat=given, rate=5)
        assert key not in json.dumps(document)
        assert document["plan"]["headers"] == ["Authorization"]
        assert key not in (tmp_path / "a.jsonl").read_text()


def echoed_key(_request):
    """A server that repeats what it was sent."""
    return f"Your key is {KEY}, and token=4711-abc is none."


def test_a_key_that_the_server_repeats_is_hidden_in_the_answers(tmp_path):
    (tmp_path / "key").write_text(KEY)
    chat = Chat(
        prompts=prompt_file(tmp_path, {"prompt": "hello"}), key_file=tmp_path / "key", answers=tmp_path / "a.jsonl"
    )
    with double_thread(QUICK, answer=echoed_key) as double:
        load_test(double.address + PATH, chat=chat, rate=5, duration="1s", arrivals="constant")
    [text] = {answer.text.strip() for answer in read_answers(tmp_path / "a.jsonl").answers}
    assert KEY not in text
    assert text == "Your key is [hidden], and token=4711-abc is none."


def test_a_busy_server_says_when_to_try_again(tmp_path):
    document, _ = loaded(tmp_path, Law(behavior="busy_retry_after", retry_after_s=7), rate=5, arrivals="constant")
    assert "status 429, and asks to try again after 7" in document["errors"][0]["first"]


def test_answers_that_cannot_be_kept_are_refused_before_anything_is_sent(tmp_path):
    (tmp_path / "taken").write_text("kept")
    with pytest.raises(Invalid, match="cannot be written"):
        loaded(tmp_path, chat={"answers": tmp_path / "taken" / "a.jsonl"})


def test_a_search_keeps_no_answers(tmp_path):
    with pytest.raises(Invalid, match="A search keeps no answers"):
        loaded(tmp_path, find_max=True)


def test_tokens_are_checked_by_the_server(tmp_path):
    document, _ = loaded(tmp_path, chat={"tokenizer": "server"}, arrivals="constant")
    assert document["streaming"]["tokens"]["checked"] + len(document["errors"]) > 0
    assert np.isfinite(document["metrics"]["output_tokens_mean"]["value"])


def test_the_command_prints_what_was_streamed_and_writes_the_answers(tmp_path):
    prompts = prompt_file(tmp_path, {"prompt": "hello"}, {"prompt": "good morning"})
    files = ["--json", str(tmp_path / "load.json"), "--answers", str(tmp_path / "a.jsonl")]
    with double_thread(QUICK) as double:
        command = ["load", double.address + PATH, "--chat", "--prompts", str(prompts), "--rate", "20", "--arrivals"]
        options = ["constant", "--duration", "1s", "--ttft-ms", "9000", "--tokenizer", "server", *files]
        printed = CliRunner().invoke(app, command + options)
    assert printed.exit_code == 1, printed.output  # too few for p95
    assert "good answers: 20 of 20 within TTFT ≤ 9000 ms" in printed.output
    assert "answers counted by the tokenizer" in printed.output
    assert "answered by: double-2026-11-01" in printed.output
    assert len(read_answers(tmp_path / "a.jsonl").answers) == 20
    assert json.loads((tmp_path / "load.json").read_text())["headline"] == "ttft_p95_ms"


def test_options_of_prompts_need_chat(tmp_path):
    printed = CliRunner().invoke(app, ["load", "http://127.0.0.1:9/", "--model", "m"])
    assert printed.exit_code == 2
    assert "--model is used only with --chat" in printed.output


def test_a_file_of_a_tokenizer_counts(tmp_path):
    vocabulary = {"hello": 0, "world": 1, "[UNK]": 2}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert count_of_file(tmp_path / "tokenizer.json")("hello big world") == 3


def test_the_server_counts_with_the_headers_of_the_test():
    with double_thread(QUICK) as double:
        assert count_of_server(pinned(double.port), [("X", "y")], None)("hello") > 0


@contextlib.contextmanager
def answered_once(answer):
    """A server whose only answer is `answer`; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)

        def serve():
            with contextlib.suppress(OSError), server.accept()[0] as peer:
                peer.recv(65_536)
                peer.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(20)


@pytest.mark.parametrize(
    ("port", "answer", "why"),
    [(9, b"", "refused"), (None, NOT_FOUND, "it answers 404"), (None, NO_TOKENS, "tokens")],
    ids=["nobody answers", "without the path", "another document"],
)
def test_a_server_that_counts_nothing_is_named(port, answer, why):
    with answered_once(answer) as served:
        count = count_of_server(pinned(port or served), [], None)
        with pytest.raises(Invalid, match=f"counts no tokens at /tokenize: .*{why}"):
            count("hello")


def test_results_at_several_rates_size_the_replicas_and_price_the_goodput(tmp_path):
    """The other commands read what this one writes: a document of a real test, not one that a test made up."""
    law, files = Law(ttft_ms=20, tpot_ms=1, output="20", slots=2, cache_block=0), []
    with double_thread(law) as double:
        for rate in (10, 20, 100):
            chat = Chat(generate="input=20,output=20", ttft_ms=500, tpot_ms=50, cached_share=0)
            run = load_test(double.address + PATH, chat=chat, rate=rate, duration="2s", seed=rate)
            files.append(tmp_path / f"run-{rate}.json")
            # How busy this machine is does not matter here.
            files[-1].write_text(json.dumps({**run.document, "verdict": {"status": "valid", "reasons": []}}))
    sizing = weighbridge.size_replicas(files, peak_rate=40)
    assert [row["rate_per_s"] for row in sizing["curve"]] == [10, 20, 100]
    assert sizing["limits"] == {"ttft_ms": 500.0, "tpot_ms": 50.0, "e2e_ms": None}
    assert sizing["mean_tokens"]["output_tokens_mean"] == 20
    own = {"usd_per_replica_h": 1, "utilization": 0.5}
    api = {"prices": {"sku": "openai/gpt-5-mini"}, "input_tokens": 20, "output_tokens": 20}
    found = weighbridge.own_or_api({"own": own, "api": api}, measured=files[1], on="2026-11-01")
    goodput = json.loads(files[1].read_text())["metrics"]["goodput_per_s"]
    assert found["measured"]["goodput_per_s"] == goodput
    cheapest, dearest = (1 / 3600 / goodput[bound] / 0.5 for bound in ("upper", "lower"))
    assert cheapest <= float(found["own"]["cost_per_request_usd"]["middle"]) <= dearest
