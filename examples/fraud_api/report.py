"""The report: the written justification of the case, on one sheet, with what was measured, estimated and
only declared.
"""

from collections.abc import Mapping
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
    lessons: Records,
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
            ("What the three options are", options_words(settings, lessons)),
            ("What C can reach", ceiling_words(weighed, learned)),
            ("The data", data_words(settings)),
            ("The load", load_words(settings, tests)),
            ("Costs and leaving", cost_words(costs)),
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
    """Return the choice, with a warning where a load test cannot be believed or does not tell whether the limit is
    kept.
    """
    doubtful = [OPTIONS[option] for option, test in tests.items() if load_tests.is_inconclusive(test["load"])]
    if not doubtful:
        return choice
    return (
        f"{choice} Not to be decided on yet: the load test of {listed(doubtful)} is invalid or leaves open whether "
        f"{LIMIT_MS:g} ms are kept; repeat it on a calm machine."
    )


def options_words(settings: FraudSettings, lessons: Records) -> tuple[str, ...]:
    """Say exactly what stands behind each name."""
    b, c = lessons["b"], lessons["c"]
    return (
        (
            f"A is priced as {settings.declared.model_sku} from the price book, {settings.declared.input_tokens[0]:g} "
            "to "
            f"{settings.declared.input_tokens[1]:g} tokens in and {settings.declared.output_tokens[0]:g} to "
            f"{settings.declared.output_tokens[1]:g} out. "
            f"No vendor was called: a local stand-in answered, by declared settings ({settings.stand_in.words()}). "
            "Its accuracy is declared."
        ),
        (
            f"B is an FT-Transformer (a published architecture, Gorishniy et al. 2021) of {b['parameters']:,} "
            "parameters. No package carries weights "
            f"for it: it was pre-trained here on {settings.unlabeled:,} unlabeled transactions by guessing hidden "
            f"features, fine-tuned on {settings.rows:,} "
            "labeled ones, and served by ONNX Runtime behind a real HTTP server on this machine."
        ),
        (
            f"C is a network of two hidden layers and {c['parameters']:,} parameters, trained on the same labels; its "
            "prototype was served the same way."
        ),
    )


def ceiling_words(weighed: Weighed, learned: Mapping[str, Any]) -> tuple[str, ...]:
    """Say what the learning curve expects, what came of four times the data, and what a ceiling would change."""
    known = (
        (
            f"Trained on {learned['beyond_rows']:,} transactions, which only a generator can give, C reached "
            f"{learned['beyond']:.3f}."
        ),
        (
            f"Ordered by the law of the data itself, {learned['best']:.3f} of the frauds in these test rows are "
            "caught; a "
            "detector does better only by luck."
        ),
    )
    if learned["curve"] is None:
        return (f"No forecast: {learned['why']}", *known)
    far = learned["curve"]["expected"][-1]
    held = "inside" if far["lower"] <= learned["beyond"] <= far["upper"] else "outside"
    lifted = argue(weighed.at_ceiling).headline if weighed.at_ceiling is not None else ""
    return (
        *describe(learned["curve"]),
        *known,
        f"That lies {held} the interval of the forecast.",
        f"With C at that expectation: {lifted}",
    )


def data_words(settings: FraudSettings) -> tuple[str, ...]:
    """Say where the transactions come from, and their law."""
    return (
        (
            "Nothing here is a real payment: no package ships labeled ones, so they are drawn from a law that is "
            "stated "
            "in full."
        ),
        (
            f"{transactions.FEATURES} standard normal features, every two correlated by "
            f"{transactions.SHARED_FACTOR:g}; the log odds of fraud are a sum of "
            f"linear terms and interactions with intercept {transactions.INTERCEPT:g}; {transactions.UNREPORTED:.0%} "
            "of frauds are never reported."
        ),
        (
            f"Accuracy is recall: the share of reported frauds that are flagged where {transactions.FALSE_ALARMS:.0%} "
            "of "
            "the genuine transactions are."
        ),
        f"{settings.test_rows:,} other transactions of the same law judge.",
    )


def load_words(settings: FraudSettings, tests: Records) -> tuple[str, ...]:
    """Say how it was fired, and how far each test may be believed."""
    said = [
        (
            f"The load test's own engine fired {settings.rate_per_s:,.0f} requests a second, Poisson, whatever the "
            "servers did; generator and servers shared this machine."
        )
    ]
    for option, test in tests.items():
        verdict = test["load"]["verdict"]
        reasons = " ".join(reason["message"] for reason in verdict["reasons"])
        attempt = f", attempt {test['attempts']}" if test["attempts"] > 1 else ""
        said.append(f"{OPTIONS[option]}: {verdict['status']}{attempt}. {reasons}".rstrip())
    return tuple(said)


def cost_words(costs: Mapping[str, Any]) -> tuple[str, ...]:
    """Say who is cheapest how surely, and where the options cross."""
    cheapest = ", ".join(f"{OPTIONS[name]} {share:.0%}" for name, share in costs["cheapest"]["tco_usd"].items())
    said = [f"Cheapest over the years, by share of the draws: {cheapest}."]
    return (*said, *(_crossing(pair) for pair in costs["crossover"]["pairs"] if pair["volume_probability"] >= USUAL))


def _crossing(pair: Mapping[str, Any]) -> str:
    volume = {level: f"{pair['volume'][level] / BILLION:.1f}" for level in ("p10", "p50", "p90")}
    return (
        f"{OPTIONS[pair['first']]} and {OPTIONS[pair['second']]} cost the same at {volume['p50']} billion "
        "transactions a year "
        f"({volume['p10']} to {volume['p90']}), in {pair['volume_probability']:.0%} of the draws."
    )


def load_table(tests: Records) -> Table:
    """Return rate, response times and failures of each test."""
    rows = []
    for option, test in tests.items():
        metrics = test["load"]["metrics"]
        times = (metrics.get(f"response_time_{each}_ms") for each in TIMES)
        rows.append(
            (
                OPTIONS[option],
                "stand-in, declared" if option == "a" else "local server, measured",
                number(metrics["achieved_per_s"]["value"]),
                *(
                    EMPTY_CELL
                    if each is None
                    else f"{number(each['value'])} ({number(each['lower'])} to {number(each['upper'])})"
                    for each in times
                ),
                f"{metrics['error_rate']['value']:.2%}",
                number(test["timings"]["mean_s"] * 1e3),
                test["load"]["verdict"]["status"],
            )
        )
    heads = ("option", "server", "answered/s", *(f"{each} ms" for each in TIMES), "failed", "processor ms", "verdict")
    return Table(
        "Load tests: response time from the moment a request was due", heads, tuple(rows), frozenset(range(2, 8))
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
    return Table(
        "Leaving",
        ("option", "exit cost USD", "probability in 3 years", "lock-in", "forced migration"),
        rows,
        frozenset({1, 2}),
    )


def price_table(costs: Mapping[str, Any]) -> Table:
    """Return every price that was used, with its date and source."""
    rows = tuple(
        (
            str(each["path"]),
            str(each.get("sku", EMPTY_CELL)),
            f"{each['usd']} / {each['unit']}",
            str(each["as_of"]),
            str(each["source"]),
        )
        for each in costs["prices"]
    )
    return Table("Prices", ("used at", "SKU", "USD", "as of", "source"), rows, frozenset({2}))


def _levels(metric: Mapping[str, Any]) -> str:
    middle, low, high = (
        EMPTY_CELL if metric[level] is None else number(float(metric[level])) for level in ("p50", "p10", "p90")
    )
    return f"{middle} ({low} to {high})"
