"""The report: the written justification of the case, with what was measured, estimated and only declared."""

from collections.abc import Iterator, Mapping
from typing import Any

from examples.fraud_api import load_tests, transactions
from examples.fraud_api.costing import OPTIONS
from examples.fraud_api.decision import METRIC, Weighed
from examples.fraud_api.settings import LIMIT_MS, FraudSettings
from weighbridge.charts.tables import EMPTY_CELL, Table
from weighbridge.cli.tables.terminal import number
from weighbridge.costs.metrics import METRICS
from weighbridge.tradeoff.charts.costs import cost_bands, cost_crossover
from weighbridge.tradeoff.charts.learning import learning_curve
from weighbridge.tradeoff.charts.words import listed
from weighbridge.tradeoff.learning.learning_curve import describe
from weighbridge.tradeoff.matrix.page import matrix_sheet
from weighbridge.tradeoff.matrix.words import argue
from weighbridge.tradeoff.sheets.sheet import Sheet

TITLE = "Which fraud detector: managed API, open model, or one of our own"
SHOWN = (
    "equivalent_annual_usd",
    "total_cost_1y_usd",
    "inference_cost_1y_usd",
    "training_cost_usd",
    "upkeep_1y_usd",
    "tco_usd",
    "cost_per_1k_usd",
    "cost_per_1k_loaded_usd",
    "exit_cost_usd",
)
# From this share of the draws on, a crossing is worth telling.
USUAL, BILLION = 0.5, 1e9
TIMES = ("p50", "p95", "p99")
Records = Mapping[str, Mapping[str, Any]]


def sheet_of(
    settings: FraudSettings,
    weighed: Weighed,
    costs: Mapping[str, Any],
    trainings: Records,
    tests: Records,
    learned: Mapping[str, Any],
) -> Sheet:
    """Lay out the case; `costs` is `weighbridge.projection/1`, the others are the records of the steps."""
    base = matrix_sheet(weighed.decision)
    curve = learned["curve"]
    return Sheet(
        title=TITLE,
        subtitle=(
            f"{settings.rows:,} labeled transactions, {settings.rate_per_s:,.0f} requests a second for "
            f"{settings.seconds:g} s, {settings.draws:,} draws, seed {settings.seed}; prices of snapshot "
            f"{costs['snapshot'][:19]}"
        ),
        headline=headline_of(base.headline, tests),
        situation=base.situation,
        sections=(
            *base.sections,
            ("What the three options are", tuple(options_words(settings, trainings))),
            ("What C can reach", tuple(ceiling_words(weighed, learned))),
            ("The data", tuple(data_words(settings))),
            ("The load", tuple(load_words(settings, tests))),
            ("Costs and leaving", tuple(cost_words(costs))),
        ),
        tables=(
            *base.tables,
            ("Load tests", load_table(tests)),
            ("Costs", cost_table(costs)),
            ("Leaving", exit_table(costs)),
            ("Prices", price_table(costs)),
        ),
        plates=(*base.plates, *((("learning-curve", learning_curve(curve)),) if curve is not None else ())),
        charts=(("cost-bands", cost_bands(costs, METRIC)), ("cost-crossover", cost_crossover(costs))),
    )


def headline_of(choice: str, tests: Records) -> str:
    """Return the choice, with a warning about load tests that are invalid or do not tell whether the limit is kept."""
    doubtful = [OPTIONS[option] for option, test in tests.items() if load_tests.is_inconclusive(test["load"])]
    if not doubtful:
        return choice
    return (
        f"{choice} Not to be decided on yet: the load test of {listed(doubtful)} is invalid or leaves open whether "
        f"{LIMIT_MS:g} ms are kept; repeat it on a calm machine."
    )


def options_words(settings: FraudSettings, trainings: Records) -> Iterator[str]:
    """Say exactly what stands behind each name."""
    declared, b, c = settings.declared, trainings["b"], trainings["c"]
    (low_in, high_in), (low_out, high_out) = declared.input_tokens, declared.output_tokens
    yield (
        f"A is priced as {declared.model_sku} from the price book, {low_in:g} to {high_in:g} tokens in and {low_out:g} "
        f"to {high_out:g} out. No vendor was called: a local stand-in answered, by declared settings "
        f"({settings.stand_in.words()}). Its accuracy is declared."
    )
    yield (
        f"B is an FT-Transformer (a published architecture, Gorishniy et al. 2021) of {b['parameters']:,} parameters. "
        f"No package carries weights for it: it was pre-trained here on {settings.unlabeled:,} unlabeled transactions "
        f"by guessing hidden features, fine-tuned on {settings.rows:,} labeled ones, and served by ONNX Runtime behind "
        "a real HTTP server on this machine."
    )
    yield (
        f"C is a network of two hidden layers and {c['parameters']:,} parameters, trained on the same labels; its "
        "prototype was served the same way."
    )


def ceiling_words(weighed: Weighed, learned: Mapping[str, Any]) -> Iterator[str]:
    """Say what the learning curve expects, what came of four times the data, and what a ceiling would change."""
    curve, beyond = learned["curve"], learned["beyond"]
    yield from describe(curve) if curve is not None else (f"No forecast: {learned['why']}",)
    yield (
        f"Trained on {learned['beyond_rows']:,} transactions, which only a generator can give, C reached {beyond:.3f}."
    )
    yield (
        f"Ordered by the law of the data itself, {learned['best']:.3f} of the frauds in these test rows are caught; a "
        "detector does better only by luck."
    )
    if curve is not None:
        far = curve["expected"][-1]
        held = "inside" if far["lower"] <= beyond <= far["upper"] else "outside"
        yield f"That lies {held} the interval of the forecast."
        lifted = argue(weighed.at_ceiling).headline if weighed.at_ceiling is not None else ""
        yield f"With C at that expectation: {lifted}"


def data_words(settings: FraudSettings) -> Iterator[str]:
    """Say where the transactions come from, and their law."""
    yield (
        "Nothing here is a real payment: no package ships labeled ones, so they are drawn from a law that is stated "
        "in full."
    )
    yield (
        f"{transactions.FEATURES} standard normal features, every two correlated by {transactions.SHARED_FACTOR:g}; "
        f"the log odds of fraud are a sum of linear terms and interactions with intercept {transactions.INTERCEPT:g}; "
        f"{transactions.UNREPORTED:.0%} of frauds are never reported."
    )
    yield (
        f"Accuracy is recall: the share of reported frauds that are flagged where {transactions.FALSE_ALARMS:.0%} of "
        "the genuine transactions are."
    )
    yield f"{settings.test_rows:,} other transactions of the same law judge."


def load_words(settings: FraudSettings, tests: Records) -> Iterator[str]:
    """Say how it was fired, and how far each test may be believed."""
    yield (
        f"The load test's own engine fired {settings.rate_per_s:,.0f} requests a second, Poisson, whatever the servers "
        "did; generator and servers shared this machine."
    )
    for option, test in tests.items():
        verdict = test["load"]["verdict"]
        reasons = " ".join(reason["message"] for reason in verdict["reasons"])
        attempt = f", attempt {test['attempts']}" if test["attempts"] > 1 else ""
        yield f"{OPTIONS[option]}: {verdict['status']}{attempt}. {reasons}".rstrip()


def cost_words(costs: Mapping[str, Any]) -> Iterator[str]:
    """Say who is cheapest how surely, what to know beside the numbers, and where the options cross."""
    cheapest = ", ".join(f"{OPTIONS[name]} {share:.0%}" for name, share in costs["cheapest"]["tco_usd"].items())
    yield f"Cheapest over the years, by share of the draws: {cheapest}."
    for remark in costs["remarks"]:
        yield f"{OPTIONS[remark['option']]}, {remark['kind']}: {remark['text']}"
    for pair in costs["crossover"]["pairs"]:
        if pair["volume_probability"] >= USUAL:
            low, middle, high = (f"{pair['volume'][level] / BILLION:.1f}" for level in ("p10", "p50", "p90"))
            yield (
                f"{OPTIONS[pair['first']]} and {OPTIONS[pair['second']]} cost the same at {middle} billion "
                f"transactions a year ({low} to {high}), in {pair['volume_probability']:.0%} of the draws."
            )


def load_table(tests: Records) -> Table:
    """Return rate, response times and failures of each test."""
    heads = ("option", "server", "answered/s", *(f"{each} ms" for each in TIMES), "failed", "processor ms", "verdict")
    rows = tuple(_load_row(option, test) for option, test in tests.items())
    return Table("Load tests: response time from the moment a request was due", heads, rows, frozenset(range(2, 8)))


def _load_row(option: str, test: Mapping[str, Any]) -> tuple[str, ...]:
    metrics = test["load"]["metrics"]
    return (
        OPTIONS[option],
        "stand-in, declared" if option == "a" else "local server, measured",
        number(metrics["achieved_per_s"]["value"]),
        *(_range(metrics.get(f"response_time_{each}_ms"), ("value", "lower", "upper")) for each in TIMES),
        f"{metrics['error_rate']['value']:.2%}",
        number(test["timings"]["mean_s"] * 1e3),
        test["load"]["verdict"]["status"],
    )


def cost_table(costs: Mapping[str, Any]) -> Table:
    """Return P10, P50 and P90 of each metric and option."""
    rows = tuple(
        (
            name.replace("_", " ").removesuffix(" usd"),
            *(_levels(option["metrics"][name]) for option in costs["options"]),
            METRICS[name].meaning,
        )
        for name in SHOWN
    )
    heads = ("USD, P50 (P10 to P90)", *(option["title"] for option in costs["options"]), "what it is")
    return Table("Costs on one load curve", heads, rows, frozenset(range(1, len(heads) - 1)))


def exit_table(costs: Mapping[str, Any]) -> Table:
    """Return what leaving costs, how likely it is, and the score of lock-in."""
    heads = ("option", "exit cost USD", "probability in 3 years", "lock-in", "forced migration")
    rows = tuple(
        (
            option["title"],
            _levels(option["metrics"]["exit_cost_usd"]),
            f"{option['lock_in']['switch_probability']:.0%}",
            f"{option['lock_in']['scores']['out_of_100']} of 100",
            str(option["lock_in"]["forced_migration"] or EMPTY_CELL),
        )
        for option in costs["options"]
    )
    return Table("Leaving", heads, rows, frozenset({1, 2}))


def price_table(costs: Mapping[str, Any]) -> Table:
    """Return every price that was used, with its date and source."""
    priced = ({"sku": EMPTY_CELL, **each, "usd": f"{each['usd']} / {each['unit']}"} for each in costs["prices"])
    rows = tuple(tuple(str(each[key]) for key in ("path", "sku", "usd", "as_of", "source")) for each in priced)
    return Table("Prices", ("used at", "SKU", "USD", "as of", "source"), rows, frozenset({2}))


def _levels(metric: Mapping[str, Any]) -> str:
    return _range(metric, ("p50", "p10", "p90"))


def _range(metric: Mapping[str, Any] | None, keys: tuple[str, str, str]) -> str:
    """Return a value with its ends in brackets, a dash for what is unknown."""
    if metric is None:
        return EMPTY_CELL
    middle, low, high = (EMPTY_CELL if metric[key] is None else number(float(metric[key])) for key in keys)
    return f"{middle} ({low} to {high})"
