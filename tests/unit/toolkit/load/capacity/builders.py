"""Runs with known shares, and documents of streaming load tests as the generator writes them."""

from weighbridge.load.capacity.measured_runs import MeasuredRun

# Five seeds of a simulated replica with 32 slots at each rate, 400 s each.
SHARES = {
    0.9: (1.0, 0.998, 1.0),
    1.8: (0.999, 0.995, 0.998),
    2.4: (0.991, 0.992, 0.997),
    2.6: (0.948, 0.953, 0.986),
    2.8: (0.787, 0.765, 0.957),
    3.2: (0.332, 0.207, 0.097),
}
LIMITS = {"ttft_ms": 1000, "tpot_ms": 60, "e2e_ms": None}


def runs(shares=SHARES, *, n=1_000, blocks=()):
    """A run for each share; its seed is its place."""
    return [
        MeasuredRun(rate_per_s=rate, share=share, n=n, seed=seed, blocks=blocks)
        for rate, each in shares.items()
        for seed, share in enumerate(each)
    ]


def load_test(rate=2.0, share=0.97, *, seed=1, n=800, **changes):
    """The document of a streaming load test, as far as sizing reads it."""
    document = {
        "schema": "weighbridge.load/1",
        "is_partial": False,
        "loop": "open",
        "verdict": {"status": "valid", "reasons": []},
        "metrics": {
            "goodput_per_s": {"value": rate * share},
            "input_tokens_mean": {"value": 600.0},
            "output_tokens_mean": {"value": 200.0 + seed},
        },
        "plan": {"rate_per_s": rate, "seed": seed, "arrivals": "poisson"},
        "streaming": streaming(share, n=n),
    }
    return {**document, **changes}


def streaming(share=0.97, *, n=800, **changes):
    """The section about streamed answers; the limits name their source, which need not agree."""
    section = {
        "good": {"share": share, "lower": share, "upper": share, "n": n, "blocks": [share] * 50},
        "limits": LIMITS | {"share": 0.95, "source": f"page {n}", "words": "TTFT ≤ 1000 ms, TPOT ≤ 60 ms"},
        "workload": "sha256:" + "a" * 64,
        "models": ["m-1"],
    }
    return {**section, **changes}


def reason(code, status="invalid"):
    """A verdict with one reason."""
    return {"status": status, "reasons": [{"code": code, "status": status, "message": f"It has {code}."}]}
