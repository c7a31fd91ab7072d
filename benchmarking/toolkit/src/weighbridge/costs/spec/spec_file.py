"""The spec file: one load curve, named options and all inputs; `kind: CostSpec`.

Reads a mapping that was parsed from YAML or JSON. Prices are pinned from the book while reading, so that a projection
depends only on the spec and the book. `template.yaml` in this package shows all keys.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from weighbridge.core.documents import Reader, check_unique
from weighbridge.core.errors import Invalid
from weighbridge.core.kpis import read_kpis
from weighbridge.costs.metrics import METRICS
from weighbridge.costs.parts.endpoint import EndpointServing, Serverless
from weighbridge.costs.parts.load_curve import HOURS_PER_DAY, LoadCurve, curve_of_counts, curve_of_year, weekly_shape
from weighbridge.costs.parts.lock_in import LockIn
from weighbridge.costs.parts.managed import ManagedApi, Provisioned
from weighbridge.costs.parts.options import CostOption, CostSpec, Shared, Threshold, Value
from weighbridge.costs.parts.ownership import Ownership
from weighbridge.costs.parts.serving import SelfHosted
from weighbridge.costs.parts.time_model import TimeModel
from weighbridge.costs.parts.training import Training
from weighbridge.costs.parts.usage import ModelPrices
from weighbridge.costs.parts.work import Network, OwnedHardware, Pilot, Transformer
from weighbridge.costs.prices.book import STALE_DAYS, PriceBook
from weighbridge.costs.prices.files.exact_yaml import reader_of
from weighbridge.costs.prices.files.snapshot import snapshot
from weighbridge.costs.spec.pins import CURRENCY, Pins
from weighbridge.costs.spec.reading import Given, amount, inputs, placed
from weighbridge.costs.uncertainty import DRAWS, SEED, Amount, Range, check_amount, middle_of
from weighbridge.costs.value import answer_quality as answers
from weighbridge.costs.value.accepted_answers import AnswerChecks

T = TypeVar("T")
KIND = "CostSpec"
OPTIONS_MAX, DRAWS_MAX = 12, 100_000
SERVING: Final[Mapping[str, Any]] = {
    "self-hosted": SelfHosted,
    "endpoint": EndpointServing,
    "serverless": Serverless,
    "managed-api": ManagedApi,
    "provisioned": Provisioned,
}
WORK: Final[Mapping[str, Any]] = {"transformer": Transformer, "network": Network, "pilot": Pilot}
# Fields that an option does not state: they are common to all options or follow from its other parts.
GIVEN: Final[Given] = {
    Training: {"engineer_usd_per_h": 0.0},
    SelfHosted: {"volume": 1.0},
    Provisioned: {"volume": 1.0},
    ManagedApi: {"requests_per_year": 1.0},
    ModelPrices: {"batch": None, "others": ()},
    Ownership: {
        "serving_usd": 0.0,
        "training_usd": 0.0,
        **TimeModel().time,
        "fte_usd": 0.0,
        "exit_usd": 0.0,
        "switch_probability": 0.0,
        "later_serving_usd": (),
    },
    LockIn: {"engineer_usd_per_h": 0.0},
}


def read_spec(document: object, book: PriceBook) -> CostSpec:
    """Read a spec and pin its prices; raise Invalid with the path, the reason and the accepted values.

    Prices older than `max_price_age_days` on the day of the book are refused.
    """
    reader = reader_of(document, KIND)
    reader.constant("currency", CURRENCY, is_required=False)
    pins = Pins(book, max_age_days=reader.whole("max_price_age_days", STALE_DAYS, at_least=1))
    shared, curve = _load(reader, pins)
    options = reader.items("options", lambda item: _option(item, pins))
    _check_options(reader, options)
    spec = CostSpec(
        name=reader.text("name"),
        shared=shared,
        curve=curve,
        options=options,
        pins=tuple(pins.found),
        snapshot=book.snapshot_id,
        pinned=snapshot(pins.used, as_of=book.as_of),
        value=_value(reader, options, pins),
        thresholds=reader.items("thresholds", _threshold),
        kpis=read_kpis(reader),
        seed=reader.whole("seed", SEED),
        draws=_draws(reader),
    )
    reader.close()
    return spec


def _draws(reader: Reader) -> int:
    draws = reader.whole("draws", DRAWS, at_least=100)
    if draws > DRAWS_MAX:
        raise reader.fault("draws", f"must be at most {DRAWS_MAX:,}.")
    return draws


def _load(reader: Reader, pins: Pins) -> tuple[Shared, LoadCurve]:
    """Read `load`, `people` and `horizon`: the curve has the median of the yearly requests."""
    load, people, horizon = reader.mapping("load"), reader.mapping("people"), reader.mapping("horizon")
    curve, requests = read_curve(load)
    load.close()
    rates: dict[str, Any] = {
        key: amount(people, key, at_least=0) for key in ("engineer_usd_per_h", "fte_usd") if people.asks(key)
    }
    people.close()
    time = inputs(TimeModel, horizon, prices=pins, given={})
    shared = _at(horizon, "", lambda: Shared(requests_per_year=requests, **rates, **time.time))
    return shared, curve


def read_curve(load: Reader) -> tuple[LoadCurve, Amount]:
    """Return the curve and the requests of the year, which default to the sum of the observed counts."""
    if load.asks("hourly_counts"):
        counts = load.plain("hourly_counts")
        numbers = [each for each in counts if isinstance(each, int | float)] if isinstance(counts, list) else []
        if not isinstance(counts, list) or len(numbers) != len(counts):
            raise load.fault("hourly_counts", f"must be a list of {HOURS_PER_DAY} or more hourly request counts.")
        curve = _at(load, "hourly_counts", lambda: curve_of_counts(numbers))
        if not load.asks("requests_per_year"):
            return curve, curve.requests_per_year
        requests = _requests(load)
        scale = middle_of(requests) / curve.requests_per_year
        return LoadCurve(curve.rates_per_s * scale, curve.hours), requests
    requests = _requests(load)
    named = {key: float(load.number(key)) for key in ("day_swing", "weekend") if load.asks(key)}
    peak_hour = load.whole("peak_hour", 14)
    growth = float(load.number("monthly_growth")) if load.asks("monthly_growth") else 0.0
    shape = _at(load, "", lambda: weekly_shape(peak_hour=peak_hour, **named))
    middle = middle_of(requests)
    return _at(load, "", lambda: curve_of_year(middle, shape=shape, monthly_growth=growth)), requests


def _requests(load: Reader) -> Amount:
    requests = amount(load, "requests_per_year")
    if isinstance(requests, Range) and requests.low <= 0:
        raise load.fault("requests_per_year", "must be above zero, at both ends of a range.")
    return requests


def _option(reader: Reader, pins: Pins) -> CostOption:
    option_id, title = reader.text("id"), reader.text("title", "")
    work, owned = _one_of(reader, "work", WORK, pins), _part(reader, "owned_hardware", OwnedHardware, pins)
    training = _training(reader, pins, {"gpu_hours": work, "usd_per_gpu_h": owned})
    serving = _one_of(reader, "serving", SERVING, pins)
    if serving is None:
        raise reader.fault("serving", f"is missing; its kind must be one of {', '.join(SERVING)}.")
    return CostOption(
        id=option_id,
        title=title or option_id,
        training=training,
        work=work,
        owned_hardware=owned,
        serving=serving,
        ownership=inputs(Ownership, reader.mapping("ownership"), prices=pins, given=GIVEN),
        lock_in=_part(reader, "lock_in", LockIn, pins),
        quality=_one_of(reader, "quality", answers.QUALITY, pins),
        acceptance=_part(reader, "acceptance", AnswerChecks, pins),
    )


def _training(reader: Reader, pins: Pins, elsewhere: Mapping[str, object]) -> Training | None:
    """Read the training; `elsewhere` has, by the field that they give, the work and the owned hardware, if present."""
    derived = {name: 0.0 for name, part in elsewhere.items() if part is not None}
    if not reader.asks("training"):
        if derived:
            raise reader.fault("training", "is missing, but work or owned_hardware is given.")
        return None
    given = {**GIVEN, Training: {**GIVEN[Training], **derived}}
    return inputs(Training, reader.mapping("training"), prices=pins, given=given)


def _part(reader: Reader, key: str, kind: type[T], pins: Pins) -> T | None:
    return inputs(kind, reader.mapping(key), prices=pins, given=GIVEN) if reader.asks(key) else None


def _one_of(reader: Reader, key: str, kinds: Mapping[str, Any], pins: Pins) -> Any:
    """Read a mapping whose `kind` selects its class; None if it is absent."""
    if not reader.asks(key):
        return None
    inner = reader.mapping(key)
    name = inner.text("kind")
    if name not in kinds:
        raise inner.fault("kind", f"must be one of {', '.join(kinds)}, not {name!r}.")
    return inputs(kinds[name], inner, prices=pins, given=GIVEN)


def _check_options(reader: Reader, options: tuple[CostOption, ...]) -> None:
    if not 1 <= len(options) <= OPTIONS_MAX:
        raise reader.fault("options", f"must have 1 to {OPTIONS_MAX} options, not {len(options)}.")
    check_unique(tuple(option.id for option in options), path="options")


def _value(reader: Reader, options: tuple[CostOption, ...], pins: Pins) -> Value | None:
    """Read the value of answers; the quality of each option must have the kind that this values."""
    if not reader.asks("value"):
        return None
    value = reader.mapping("value")
    baseline = value.text("baseline", options[0].id)
    adoption = amount(value, "adoption") if value.asks("adoption") else 1.0
    stakes = _one_of(value, "stakes", answers.STAKES, pins)
    if stakes is None:
        raise value.fault("stakes", f"is missing; its kind must be one of {', '.join(answers.STAKES)}.")
    value.close()
    first = next((option for option in options if option.id == baseline), None)
    if first is None or first.quality is None or isinstance(first.quality, answers.QualityChange):
        raise value.fault("baseline", "must be an option with its own quality: a confusion matrix or a metric.")
    for position, option in enumerate(options):
        if option.quality is not None and not isinstance(option.quality, stakes.quality):
            kind = answers.kind_of(stakes, answers.STAKES)
            raise reader.fault(f"options[{position}].quality", f"does not match stakes of kind {kind}.")
        if isinstance(option.quality, answers.QualityLevel):
            check_amount(f"options[{position}].quality.metric", option.quality.metric, stakes.limits)
    return _at(value, "", lambda: Value(baseline=baseline, stakes=stakes, adoption=adoption))


def _threshold(reader: Reader) -> Threshold:
    metric = reader.text("metric")
    if metric not in METRICS:
        raise reader.fault("metric", f"must be one of {', '.join(METRICS)}.")
    return Threshold(metric, float(reader.number("above")))


def _at(reader: Reader, key: str, make: Callable[[], T]) -> T:
    """Call `make`; its errors get the path of the mapping under `key`."""
    try:
        return make()
    except Invalid as refused:
        raise placed(refused, reader, key or refused.field or "") from refused
