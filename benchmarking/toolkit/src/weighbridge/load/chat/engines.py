"""Which engine a plan of prompts runs: an open loop, a closed one, or conversations."""

import asyncio
from collections.abc import Callable

from weighbridge.load.chat.conversation import ConversationEngine, conversations
from weighbridge.load.chat.engine import ChatEngine, ClosedChatEngine
from weighbridge.load.chat.prompt_order import PromptOrder
from weighbridge.load.chat.prompts import prompts_of
from weighbridge.load.generator.closed_loop import ClosedLoop
from weighbridge.load.generator.job import EngineJob
from weighbridge.load.plan import Arrivals, LoadPlan


def open_chat(
    job: EngineJob,
    plan: LoadPlan,
    message: Callable[[bytes], bytes],
    *,
    loop: asyncio.AbstractEventLoop,
    clock: Callable[[], int],
) -> ChatEngine:
    """Return the engine of an open loop; `message` makes a request from its body."""
    chat = plan.chat
    if chat is None or not chat.is_conversation:
        engine = ChatEngine(job, loop=loop, clock=clock)
        is_shuffled = plan.arrivals is not Arrivals.TRACE
        order = PromptOrder(len(job.messages), seed=plan.seed, is_shuffled=is_shuffled)
        engine.begin_chat(order, keeps_text=chat is not None and chat.keeps_text)
        return engine
    talks = conversations(chat, prompts_of(chat), ends_ns=int(plan.duration_s * 1e9), message=message)
    talking = ConversationEngine(job, loop=loop, clock=clock)
    talking.begin_chat(PromptOrder(len(talks.turns), seed=plan.seed), keeps_text=chat.keeps_text)
    talking.begin_talks(talks)
    return talking


def closed_chat(
    job: EngineJob,
    plan: LoadPlan,
    users: ClosedLoop,
    *,
    loop: asyncio.AbstractEventLoop,
    clock: Callable[[], int],
) -> ClosedChatEngine:
    """Return the engine of a closed loop."""
    engine = ClosedChatEngine(job, users, loop=loop, clock=clock)
    keeps_text = plan.chat is not None and plan.chat.keeps_text
    engine.begin_chat(PromptOrder(len(job.messages), seed=plan.seed), keeps_text=keeps_text)
    return engine
