"""What a load test, and a search of the highest rate, print."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from weighbridge.cli.tables.terminal import highest_rate_lines, metrics_parts, note_lines, number, verdict_lines
from weighbridge.load.plan import Protocol

if TYPE_CHECKING:
    from rich.table import Table


def load_parts(result: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield the metrics of a load test, its verdict, the kinds of failures with first errors, and what was checked."""
    plan, target = result["plan"], result["manifest"]["target"]
    loop = f"{plan['rate_per_s']:g}/s, {plan['arrivals']}"
    if result["loop"] == "closed":
        loop = f"closed loop, {plan['users']:,} users, think time {plan['think_s']:g} s"
    title = f"{plan['method']} {plan['url']} at {target['address']} over {Protocol(plan['protocol']).words}: {loop}"
    yield from metrics_parts(result, title=f"{title}, {plan['duration_s']:g} s")
    yield from (f"failed: {error['count']:,} {error['kind']}, first: {error['first']}" for error in result["errors"])
    yield from sent_body_lines(result)
    yield from streaming_lines(result)
    bodies = result["bodies"]
    if bodies["checked"] and "streaming" not in result:
        yield f"bodies: {bodies['checked']:,} of {bodies['of']:,} checked, {bodies['wrong']:,} wrong"
    yield from note_lines(result)


def sent_body_lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield how many bodies were sent, of what size, and what filled them; nothing without bodies."""
    sent = result["manifest"]["bodies"]
    if sent is None:
        return
    size, rows = sent["bytes"], result["plan"]["rows"]
    sizes = f"{size['least']:,} to {size['most']:,} bytes, median {size['median']:,.0f}"
    source = f", filled from {rows['used']:,} of {rows['rows']:,} rows of {rows['data']}" if rows else ""
    chat = result["plan"].get("chat")
    name = chat["prompts"] if chat else result["plan"]["body"]
    yield f"sent bodies: {sent['count']:,} of {name}{source}; {sizes}"


def streaming_lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield the limits of good answers, and the tokens of a test of a language model; nothing for another test."""
    streaming = result.get("streaming")
    if streaming is None:
        return
    limits, good = streaming["limits"], streaming["good"]
    if good is not None:
        source = f" ({limits['source']})" if limits["source"] else ""
        yield f"good answers: {good['good']:,} of {good['n']:,} within {limits['words']}{source}"
    tokens = streaming["tokens"]
    counted = ", ".join(
        f"{name} {tokens[name]:,}" for name in ("input", "cached", "output") if tokens[name] is not None
    )
    checked = f"; {tokens['checked']:,} answers counted by the tokenizer, {tokens['differing']:,} differ"
    if counted:
        yield f"tokens: {counted}{checked if tokens['checked'] else ''}"
    if streaming["models"]:
        yield f"answered by: {'; '.join(streaming['models'])}"


def load_search_parts(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield each trial, the highest rate with bounds, how the search ended, and the verdict."""
    for trial in result["trials"]:
        if "good_share" in trial:
            share = trial["good_share"]
            good = "no answers" if share is None else f"{share:.1%} good, goodput {number(trial['goodput_per_s'])}/s"
            yield f"{number(trial['rate_per_s'])}/s: {good}"
        else:
            yield f"{number(trial['rate_per_s'])}/s: p99 {number(trial['latency_ms']) or 'none'} ms"
    yield from sent_body_lines(result)
    yield from highest_rate_lines(result)
    yield from verdict_lines(result)
    yield from note_lines(result)
