"""Capacity of B: what fits on its accelerator, derived from the model's configuration; and how many replicas the peak
needs, from the simulated replica at several rates with several seeds. Neither was measured.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import weighbridge
from examples.steps import Say, cached
from examples.support_assistant.batching import Replica, simulate
from examples.support_assistant.double.tokens import prompt_of, tokens_of
from examples.support_assistant.settings import GOOD_SHARE, LIMITS, OPEN_MODEL, PEAK_PER_S, SupportSettings
from examples.support_assistant.tickets import SupportTicket
from weighbridge.core.errors import Invalid
from weighbridge.load.chat.limits import preset_limits

MODEL_FOLDER, RUNS = "llama-3.1-8b", "runs-b.csv"
# Of the rate at which good requests become too few.
PARTS = (0.3, 0.5, 0.7, 0.85, 0.95, 1.05, 1.2)
MS_PER_S = 1e3
Lengths = tuple[list[int], list[int]]


def fit_of(folder: Path, settings: SupportSettings) -> dict[str, Any]:
    """Return `weighbridge.fit/1` of B on its accelerator."""
    model = folder / MODEL_FOLDER
    model.mkdir(exist_ok=True)
    (model / "config.json").write_text(json.dumps(OPEN_MODEL, indent=1) + "\n")
    declared = settings.declared
    return weighbridge.fit(
        model, context=declared.context_tokens, sequences=declared.slots, accelerators=[declared.accelerator]
    ).to_dict()


def replica_of(fit: dict[str, Any], settings: SupportSettings) -> Replica:
    """Return the replica with the key-value memory that the fit leaves. Raises Invalid if the model does not fit."""
    (card,) = fit["accelerators"]
    if not card["fits"]:
        text = f"The open model does not fit on {card['label']}; choose another accelerator, or fewer slots."
        raise Invalid(text, field="accelerator")
    return Replica(slots=settings.declared.slots, kv_tokens=card["most_tokens"])


def sizing_of(
    folder: Path, replica: Replica, tickets: Sequence[SupportTicket], settings: SupportSettings, say: Say
) -> dict[str, Any]:
    """Return `weighbridge.sizing/1` of B for the peak; the runs lie beside it as a table."""

    def make() -> dict[str, Any]:
        (folder / RUNS).write_text(_runs(replica, lengths, settings, say))
        return weighbridge.size_replicas(
            [folder / RUNS],
            peak_rate=PEAK_PER_S,
            good=GOOD_SHARE,
            balance=settings.declared.balance,
            spare=settings.declared.spare,
        ).to_dict()

    lengths = lengths_of(tickets)
    decides = {
        "replica": repr(replica),
        "lengths": [list(each) for each in lengths],
        "requests": settings.sizing_requests,
        "seeds": settings.sizing_seeds,
        "declared": repr(settings.declared),
        "limits": LIMITS,
        "peak": str(PEAK_PER_S),
    }
    return cached(folder / "sizing-b.json", decides, make)


def lengths_of(tickets: Sequence[SupportTicket]) -> Lengths:
    """Return the input and output tokens of tickets, by the tokens of the double."""
    prompts = [prompt_of(ticket.as_prompt()["messages"]) for ticket in tickets]
    return [len(tokens_of(each)) for each in prompts], [len(tokens_of(each.right)) for each in tickets]


def good_share(replica: Replica, lengths: Lengths, rate: float, *, requests: int, seed: int) -> float:
    """Return the share of simulated requests within the limits, at Poisson arrivals of a rate (1/s)."""
    rng = np.random.default_rng((seed, round(rate * MS_PER_S)))
    due = np.cumsum(rng.exponential(1 / rate, requests))
    chosen = rng.integers(0, len(lengths[0]), requests)
    inputs, outputs = ([each[place] for place in chosen] for each in lengths)
    limits = preset_limits()[LIMITS]
    ttft_s, tpot_s = ((limit or np.inf) / MS_PER_S for limit in (limits.ttft_ms, limits.tpot_ms))
    return float(simulate(replica, due, inputs, outputs).are_good(ttft_s=ttft_s, tpot_s=tpot_s).mean())


def knee(replica: Replica, lengths: Lengths, *, requests: int) -> float:
    """Return about the rate (1/s) from which fewer requests than the target are good, by doubling and halving."""
    low, high = PEAK_PER_S / 8, PEAK_PER_S / 4
    while good_share(replica, lengths, high, requests=requests, seed=0) >= GOOD_SHARE:
        low, high = high, high * 2
    for _ in range(4):
        middle = (low + high) / 2
        is_enough = good_share(replica, lengths, middle, requests=requests, seed=0) >= GOOD_SHARE
        low, high = (middle, high) if is_enough else (low, middle)
    return low


def _runs(replica: Replica, lengths: Lengths, settings: SupportSettings, say: Say) -> str:
    """Return the table of runs: the planned peak, and parts of the rate at which the replica gives in."""
    highest = knee(replica, lengths, requests=settings.sizing_requests)
    rates = sorted({PEAK_PER_S, *(round(part * highest, 2) for part in PARTS)})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["rate", "good", "n", "seed"])
    for number, row in enumerate(_rows(replica, lengths, rates, settings), start=1):
        writer.writerow(row)
        say(number / (len(rates) * settings.sizing_seeds), "simulating the replica of B at several rates")
    return text.getvalue()


def _rows(
    replica: Replica, lengths: Lengths, rates: Sequence[float], settings: SupportSettings
) -> Iterator[tuple[float, float, int, int]]:
    for rate in rates:
        for seed in range(1, settings.sizing_seeds + 1):
            share = good_share(replica, lengths, rate, requests=settings.sizing_requests, seed=seed)
            yield rate, share, settings.sizing_requests, seed
