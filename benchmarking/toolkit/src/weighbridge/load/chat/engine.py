"""Engines that keep the stream of every answer: in an open loop and in a closed one."""

from typing import TYPE_CHECKING

from weighbridge.load.chat.answer_stream import AnswerStream
from weighbridge.load.chat.connection import ChatConnection
from weighbridge.load.chat.prompt_order import PromptOrder
from weighbridge.load.generator.closed_loop import ClosedLoopEngine
from weighbridge.load.generator.engine import LoadEngine
from weighbridge.load.generator.job import AnyConnection
from weighbridge.load.results.samples import RequestOutcome

if TYPE_CHECKING:
    from weighbridge.load.generator.http2.request import Http2Request

# Above this number of parts of answers in one process, only the largest gap of each further answer is kept.
MOST_CHUNKS = 20_000_000


class ChatEngine(LoadEngine):
    """Sends prompts in random order. `answers` has the streams by request, `reading_ns` the processor time of reading.

    `order` says which prompt the request with a number sends.
    """

    order: PromptOrder

    def begin_chat(self, order: PromptOrder, *, keeps_text: bool) -> None:
        """Take the order of the prompts."""
        self.order, self.answers = order, dict[int, AnswerStream]()
        self.keeps_text, self._chunks = keeps_text, 0

    def settle(self, request: int, outcome: RequestOutcome, at_ns: int, why: str = "", shown: bytes = b"") -> None:
        """Record the outcome of a request, and free what is not kept of its answer."""
        super().settle(request, outcome, at_ns, why, shown)
        if (stream := self.answers.get(request)) is not None:
            self._chunks += len(stream.chunk_ns)
            stream.close(keeps_text=self.keeps_text, keeps_chunks=self._chunks <= MOST_CHUNKS)

    @property
    def requests(self) -> int:
        """The number of requests, also of those that the schedule added."""
        return len(self._due)

    def keep_answer(self, request: int, stream: AnswerStream) -> None:
        """Keep what arrived of an answer."""
        self.answers[request] = stream

    def prompt_of(self, request: int) -> int:
        """Return the place of the prompt of a request in the file of prompts."""
        return self.order.place(self.job.first + request * self.job.step)

    def _message(self, request: int) -> "bytes | Http2Request":
        return self.job.messages[self.prompt_of(request)]

    def _new_connection(self) -> AnyConnection:
        return ChatConnection(self, expect=self.job.expect, answer_bytes=self.job.answer_bytes, clock=self._clock)


class ClosedChatEngine(ChatEngine, ClosedLoopEngine):
    """The same in a closed loop."""
