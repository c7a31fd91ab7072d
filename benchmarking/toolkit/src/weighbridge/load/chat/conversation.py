"""Conversations: their starts are an open loop; each next turn is due one think time after the last answer.

A turn sends what was said before it, with the answers of the model. A conversation ends early at a turn that fails, and
at the end of the test.
"""

import dataclasses
import heapq
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from weighbridge.load.chat.engine import ChatEngine
from weighbridge.load.chat.prompts import chat_body, conversations_of
from weighbridge.load.chat.settings import ChatPlan
from weighbridge.load.results.samples import RIGHT, RequestOutcome
from weighbridge.quality.prompts.prompt_file import Prompt


@dataclasses.dataclass(frozen=True, kw_only=True)
class Conversations:
    """The conversations of a plan: each is the places of its prompts. New turns are due before `ends_ns`.

    `message` makes a request from its body.
    """

    plan: ChatPlan
    prompts: Sequence[Prompt]
    turns: Sequence[Sequence[int]]
    ends_ns: int
    message: Callable[[bytes], bytes]


@dataclasses.dataclass(frozen=True)
class Turn:
    """One request: its conversation, the number of its turn, and the messages that it sends."""

    conversation: int
    number: int
    messages: tuple[Mapping[str, Any], ...]


def conversations(
    plan: ChatPlan, prompts: Sequence[Prompt], *, ends_ns: int, message: Callable[[bytes], bytes]
) -> Conversations:
    """Return the conversations of a plan; raise Invalid if a session has a turn twice."""
    return Conversations(plan=plan, prompts=prompts, turns=conversations_of(prompts), ends_ns=ends_ns, message=message)


class ConversationEngine(ChatEngine):
    """An engine whose requests are the turns of conversations. Its order is that of the conversations."""

    talks: Conversations

    def begin_talks(self, talks: Conversations) -> None:
        """Take the conversations."""
        self.talks, self._turns, self._pending = talks, dict[int, Turn](), list[tuple[int, int]]()

    def prompt_of(self, request: int) -> int:
        """Return the place of the prompt of a request in the file of prompts."""
        turn = self._turn(request)
        return self.talks.turns[turn.conversation][turn.number]

    def settle(self, request: int, outcome: RequestOutcome, at_ns: int, why: str = "", shown: bytes = b"") -> None:
        """Record the outcome of a turn, and plan the next one."""
        due = at_ns + int(self.talks.plan.think_s * 1e9)
        turn = self._turn(request)
        is_going_on = turn.number + 1 < len(self.talks.turns[turn.conversation]) and outcome in RIGHT
        if is_going_on and not self._finished.done() and due < self._ends_at:
            self._turns[len(self._due)] = self._after(turn, "".join(self.answers[request].text))
            heapq.heappush(self._pending, (due, len(self._due)))
            self._add(due)
            self._checked.append(False)
        super().settle(request, outcome, at_ns, why, shown)
        if self._pending and not self._finished.done():
            self._timer.set(self._pending[0][0])

    def _begin(self, start_ns: int) -> None:
        super()._begin(start_ns)
        self._ends_at = start_ns + self.talks.ends_ns
        self._pending = [(due, request) for request, due in enumerate(self._due)]

    def _take_due(self) -> None:
        while not self._finished.done() and self._pending and self._pending[0][0] <= (now_ns := self._clock()):
            self._take(heapq.heappop(self._pending)[1], now_ns)
        if self._pending and not self._finished.done():
            self._timer.set(self._pending[0][0])

    def _message(self, request: int) -> bytes:
        turn = self._turn(request)
        prompt = self.talks.prompts[self.talks.turns[turn.conversation][turn.number]]
        return self.talks.message(chat_body(self.talks.plan, prompt, turn.messages))

    def _turn(self, request: int) -> Turn:
        """Return the turn of a request; the first ones follow the order of the conversations."""
        if request not in self._turns:
            conversation = self.order.place(self.job.first + request * self.job.step)
            first = self.talks.prompts[self.talks.turns[conversation][0]]
            self._turns[request] = Turn(conversation, 0, first.messages)
        return self._turns[request]

    def _after(self, turn: Turn, answer: str) -> Turn:
        following = self.talks.prompts[self.talks.turns[turn.conversation][turn.number + 1]]
        spoken = (*turn.messages, {"role": "assistant", "content": answer}, *following.messages)
        return Turn(turn.conversation, turn.number + 1, spoken)
