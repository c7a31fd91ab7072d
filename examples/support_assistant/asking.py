"""Answers: every ticket is asked once, and what a candidate answered is kept as an answer file."""

import http.client
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from examples.steps import Say
from examples.support_assistant.serving import CHAT, ServedCandidate
from examples.support_assistant.tickets import SupportTicket
from weighbridge.core.errors import Invalid
from weighbridge.quality.prompts.answer_file import Finish, PromptAnswer, TokenUsage, answer_lines

TIMEOUT_S = 120.0
Ask = Callable[[SupportTicket], PromptAnswer]


def ask_all(candidate: ServedCandidate, tickets: Sequence[SupportTicket], say: Say, *, called: str = "tickets") -> str:
    """Return the answer file of a candidate as text; `say` hears of every answer. Raises Invalid if none comes."""
    answers = []
    with candidate.serve() as address, ThreadPoolExecutor(candidate.at_once) as pool:
        for number, answer in enumerate(pool.map(lambda each: ask(address, candidate, each), tickets), start=1):
            answers.append(answer)
            say(number / len(tickets), f"answers of {candidate.option.upper()} to {called}, {number} of {len(tickets)}")
    return answer_lines(answers).decode()


def ask(address: str, candidate: ServedCandidate, ticket: SupportTicket) -> PromptAnswer:
    """Ask one ticket; an answer that is none becomes an error of that ticket. Raises Invalid if nobody answers."""
    prompt = ticket.as_prompt()
    asked = {key: prompt[key] for key in ("messages", "max_tokens")}
    body = {"model": candidate.model, **asked, **candidate.parameters}
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=TIMEOUT_S)
    try:
        connection.request("POST", CHAT, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        status, content = response.status, json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        text = f"The server of {candidate.option.upper()} does not answer: {error}"
        raise Invalid(text, code="server", field="server") from error
    finally:
        connection.close()
    if status != 200:
        return PromptAnswer(id=ticket.id, finish=Finish.ERROR, error=f"HTTP {status}")
    return _answer(ticket, content)


def _answer(ticket: SupportTicket, content: dict[str, Any]) -> PromptAnswer:
    (choice,), usage = content["choices"], content["usage"]
    return PromptAnswer(
        id=ticket.id,
        text=choice["message"]["content"] or "",
        finish=Finish(choice["finish_reason"]),
        usage=TokenUsage(input_tokens=usage["prompt_tokens"], output_tokens=usage["completion_tokens"]),
    )
