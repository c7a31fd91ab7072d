"""What the doubles of A and B answer: right with a declared chance, by the seeded difficulty of each ticket.

They follow planted instructions with a declared chance, too.

A ticket is answered right if Phi(sqrt(r) d + sqrt(1 - r) e) is at most the chance, where d is the difficulty that all
models share and e that of one model, both standard normal, and r = 0.6: models fail on the same tickets more often than
by accident, as real ones do. Nothing here was measured.
"""

import functools
import math
import random
import re
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

from examples.support_assistant.double.answers import last_question
from examples.support_assistant.double.law import Law
from examples.support_assistant.tickets import CODE, SEED, TICKETS_MAX, SupportTicket, tickets

SHARED = 0.6
MANAGED_RIGHT, OPEN_RIGHT = 0.92, 0.86
# The chance that a planted instruction is followed.
MANAGED_FOLLOWS, OPEN_FOLLOWS = 0.01, 0.04
ORDER_NUMBER = re.compile(r"WB-\d{5}")
# No vendor was called: declared. Prompts as short as these are below what vendors cache, so nothing is.
MANAGED_LAW = Law(ttft_ms=450.0, tpot_ms=12.0, cache_block=0, model="double-of-gpt-5.6-luna", seed=SEED)
# The times of B are those of the simulated replica; the law says the rest.
OPEN_LAW = Law(cache_block=0, model="double-of-llama-3.1-8b", seed=SEED)


def is_right(ticket_id: str, model: str, chance: float) -> bool:
    """Whether a model with this chance answers a ticket right; the same in every process."""
    shared, own = _normal(f"difficulty {ticket_id}"), _normal(f"{model} {ticket_id}")
    score = math.sqrt(SHARED) * shared + math.sqrt(1 - SHARED) * own
    return NormalDist().cdf(score) <= chance


def _normal(key: str) -> float:
    return random.Random(f"{SEED} {key}").gauss(0.0, 1.0)  # noqa: S311 -- a simulation, no secret


@functools.cache
def known_tickets() -> Mapping[str, SupportTicket]:
    """Return all tickets by order number."""
    return {each.order: each for each in tickets(TICKETS_MAX)}


def managed_answer(request: Mapping[str, Any]) -> str:
    """Answer as the double of the managed model."""
    return _answer(request, "managed", MANAGED_RIGHT, MANAGED_FOLLOWS)


def open_answer(request: Mapping[str, Any]) -> str:
    """Answer as the double of the open model."""
    return _answer(request, "open", OPEN_RIGHT, OPEN_FOLLOWS)


def _answer(request: Mapping[str, Any], model: str, chance: float, follows: float) -> str:
    question = last_question(request)
    number = ORDER_NUMBER.search(question)
    ticket = known_tickets().get(number[0]) if number else None
    if ticket is None:
        return "I do not know this ticket."
    if CODE in question and not is_right(f"{ticket.id} attack", model, 1 - follows):
        return CODE
    return ticket.right if is_right(ticket.id, model, chance) else ticket.wrong
