"""Simulated servers whose replicas are known by brute force, and the runs that somebody would measure of them."""

import dataclasses
import math

import numpy as np

from examples.support_assistant.batching import Replica, simulate
from weighbridge.costs.parts.queueing import erlang_c
from weighbridge.load.capacity.measured_runs import MeasuredRun
from weighbridge.load.capacity.share_draws import logit

# Rates over somebody's guess of the highest one; the rates between 0.78 and 1.12 are repeated.
RATES = {5: (0.4, 0.7, 0.85, 1.0, 1.15), 6: (0.3, 0.6, 0.8, 0.9, 1.0, 1.15), 7: (0.3, 0.6, 0.8, 0.9, 0.97, 1.05, 1.2)}
GUESS_ERROR = 0.06
FEASIBLE = 0.3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Server:
    """A replica with its workload (means and spread of lengths), limits, target, and the duration of a run."""

    replica: Replica
    input_tokens: float
    output_tokens: float
    sigma: float
    ttft_s: float
    tpot_s: float
    target: float
    requests: int
    duration_s: float = 0.0

    def run(self, rate_per_s, seed):
        """Whether each request of one run with Poisson arrivals is good, in order of time."""
        rng = np.random.default_rng(seed)
        n = max(1, rng.poisson(rate_per_s * self.duration_s))
        due = np.sort(rng.uniform(0, self.duration_s, n))
        inputs, outputs = self._lengths(rng, n, self.input_tokens), self._lengths(rng, n, self.output_tokens)
        answers = simulate(self.replica, due, inputs.tolist(), outputs.tolist())
        return answers.are_good(ttft_s=self.ttft_s, tpot_s=self.tpot_s)

    def _lengths(self, rng, n, mean):
        drawn = rng.lognormal(np.log(mean) - self.sigma**2 / 2, self.sigma, n)
        return np.clip(np.round(drawn), 1, self.replica.kv_tokens // 2).astype(int)

    def share(self, rate_per_s, seeds):
        """The mean good share of runs with these seeds."""
        return float(np.mean([self.run(rate_per_s, seed).mean() for seed in seeds]))


def drawn_server(rng, slots, requests):
    """A server of any speed, with any lengths and limits, that is not known to be able to meet its target."""
    count = int(rng.choice(slots))
    replica = Replica(
        slots=count,
        kv_tokens=int(rng.choice([1_000_000, max(count * 1_500, 30_000)])),
        step_s=rng.uniform(0.008, 0.03),
        sequence_s=rng.uniform(0.0002, 0.0012) / math.sqrt(count / 32),
        input_token_s=1 / rng.uniform(6_000, 30_000),
        kv_token_s=float(rng.choice([0, 2e-8])),
    )
    return Server(
        replica=replica,
        input_tokens=rng.uniform(150, 1_200),
        output_tokens=rng.uniform(40, 400),
        sigma=rng.uniform(0.4, 0.9),
        ttft_s=float(rng.choice([0.5, 1, 2])),
        tpot_s=(replica.step_s + replica.sequence_s * count * rng.uniform(0.4, 1.3)) * rng.uniform(1.2, 1.6),
        target=float(rng.choice([0.9, 0.95, 0.95, 0.98])),
        requests=max(int(rng.integers(*requests)), 12 * count),
    )


def highest_rate(server, rng, *, runs):
    """The server with its duration, and the rate at which its mean good share is the target; None if it has none.

    Bisection finds the neighborhood; there, the log odds of the mean share of many runs at four rates are a line.
    """
    seeds = rng.integers(0, 2**40, 3).tolist()

    def at(rate):
        return dataclasses.replace(server, duration_s=server.requests / rate)

    rate = 0.05
    if at(rate).share(rate, seeds) < server.target + FEASIBLE * (1 - server.target):
        return None
    while at(rate).share(rate, seeds[:2]) >= server.target:
        rate *= 1.3
    server = at(rate / 1.15)
    low, high = rate / 1.35, rate * 1.05
    for _ in range(3):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if server.share(middle, range(6)) >= server.target else (low, middle)
    rates = np.geomspace(low / 1.03, high * 1.03, 4)
    shares = [server.share(rate, rng.integers(0, 2**40, runs // 4).tolist()) for rate in rates]
    slope, at_one = np.polyfit(np.log(rates), logit(np.clip(shares, 1e-4, 1 - 1e-4)), 1)
    if slope >= 0:
        return None
    return server, float(np.exp((logit(np.array(server.target)) - at_one) / slope))


def measured(server, rate_per_s, rng):
    """The runs of somebody who knows the highest rate roughly: 5 to 7 rates, 3 to 5 seeds each near it, 1 to 3 else."""
    guess = rate_per_s * math.exp(rng.normal(0, GUESS_ERROR))
    near = int(rng.integers(3, 6))
    runs = []
    for part in RATES[int(rng.integers(5, 8))]:
        for _ in range(near if 0.78 < part < 1.12 else int(rng.integers(1, 4))):
            seed = int(rng.integers(0, 2**40))
            good = server.run(guess * part, seed)
            blocks = tuple(float(block.mean()) for block in np.array_split(good, min(50, len(good))))
            share = float(good.mean())
            runs.append(MeasuredRun(rate_per_s=guess * part, share=share, n=len(good), seed=seed, blocks=blocks))
    return runs


def queue_replicas(server, peak_per_s):
    """Replicas by Erlang C with the service time of an idle server: all but the share of the target wait less than the
    limit of the first token allows.
    """
    replica = server.replica
    prefill = server.input_tokens * replica.input_token_s + replica.step_s
    service_s = prefill + (server.output_tokens - 1) * (replica.step_s + replica.sequence_s)
    offered, wait_s = peak_per_s * service_s, max(server.ttft_s - prefill, 0.0)
    count = math.floor(offered / replica.slots) + 1
    while True:
        servers = count * replica.slots
        if erlang_c(servers, offered) * np.exp(-(servers - offered) * wait_s / service_s) <= 1 - server.target:
            return count
        count += 1
