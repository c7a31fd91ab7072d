"""Whether a test of a language model missed its limits because of the generator, and not because of the server."""

import dataclasses
from collections.abc import Sequence

from weighbridge.load.chat.results.samples import ChatSamples
from weighbridge.load.chat.results.times import AnswerTimes, answer_times, good_answers
from weighbridge.load.chat.settings import ChatPlan
from weighbridge.load.generator.generator import GeneratorResult
from weighbridge.measure.verdict import ValidityReason

LOST, PROCESSOR, CROWDED = "generator.lost_process", "generator.processor", "generator.processes"


def limits_of_chat_client(
    plan: ChatPlan, result: GeneratorResult, chat: ChatSamples, reasons: Sequence[ValidityReason]
) -> tuple[ValidityReason, ...]:
    """Return the reasons why a test says nothing about the server; empty if it does. `reasons` made it invalid.

    A test that met the limits met them in spite of the generator, so only lost processes count: they sent less. A test
    that missed them counts if the answers also miss them from the moment of sending, without the waits before it.
    """
    always = tuple(reason for reason in reasons if reason.code == LOST)
    times = answer_times(result.samples, chat)
    if always or not reasons or _share(plan, times) >= plan.limits.share:
        return always
    waits_ms = times.ttft_ms - times.ttft_service_ms
    alone = dataclasses.replace(times, ttft_ms=times.ttft_service_ms, e2e_ms=times.e2e_ms - waits_ms)
    is_busy = any(reason.code in (PROCESSOR, CROWDED) for reason in reasons)
    return () if _share(plan, alone) < plan.limits.share and not is_busy else tuple(reasons)


def _share(plan: ChatPlan, times: AnswerTimes) -> float:
    good = good_answers(times, plan.limits)
    return float(good.mean()) if good is not None and len(good) else 0.0
