"""A load test of a real language model: what the server states agrees with what it streams."""

import json

import pytest

from weighbridge import Chat, load_test
from weighbridge.quality.prompts.answer_file import read_answers

SYSTEM = {"role": "system", "content": "Be brief."}
QUESTIONS = ("Say yes.", "What is tea?", "Name a color.", "Is snow warm?", "Count to 3.", "Greet Zoë ☕.")


@pytest.mark.slow
def test_a_real_model_streams_what_its_tokenizer_counts(language_model, tmp_path) -> None:
    prompts, answers = tmp_path / "prompts.jsonl", tmp_path / "answers.jsonl"
    rows = [
        {"id": f"q-{number}", "messages": [SYSTEM, {"role": "user", "content": text}], "max_tokens": 8}
        for number, text in enumerate(QUESTIONS)
    ]
    prompts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    chat = Chat(
        prompts=prompts,
        answers=answers,
        parameters=("temperature=0", "cache_prompt=false"),
        tokenizer="server",
        ttft_ms=60_000,
    )
    url = f"{language_model.address}/v1/chat/completions"
    document = load_test(url, chat=chat, rate=2, duration="6s", timeout="60s", arrivals="constant").document
    metrics, streaming = document["metrics"], document["streaming"]
    assert (metrics["error_rate"]["value"], metrics["error_rate"]["n"]) == (0, 12), document["errors"]
    assert (streaming["tokens"]["cached"], streaming["tokens"]["input"] > 200) == (0, True), document["missing"]
    assert not {reason["code"] for reason in document["verdict"]["reasons"]} & {"tokens.mismatch", "tokens.unknown"}
    found = read_answers(answers).answers
    counted = [language_model.token_count(answer.text) for answer in found]
    assert streaming["tokens"]["output"] == sum(answer.usage.output_tokens for answer in found)
    for answer, count in zip(found, counted, strict=True):
        assert 0 <= answer.usage.output_tokens - count <= (1 if answer.finish == "stop" else 3), answer
    # Twice the same question at temperature 0, with a cold cache: the same answer.
    texts = {answer.id: {other.text for other in found if other.id == answer.id} for answer in found}
    assert len(texts) == 6
    assert [text for text in texts.values() if len(text) > 1] == []
