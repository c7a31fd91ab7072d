import json

from benchmarking.projections.domain.quick_costs import MANAGED, SELF_HOSTED, QuickOption, quick_spec
from weighbridge.costs.prices.shipped import shipped_book
from weighbridge.costs.spec.spec_file import read_spec

OWN = QuickOption(
    id="b",
    title="Own",
    kind=SELF_HOSTED,
    sku="aws/us-east-1/g5.xlarge",
    service_ms=(100, 140),
    limit_ms=500,
    slots=4,
    training_sku="aws/us-east-1/p4d.24xlarge",
    training_gpu_hours=(40, 40),
    maintenance_fte=(0.3, 0.8),
)
API = QuickOption(
    id="a", title="API", kind=MANAGED, sku="openai/gpt-4o-mini", input_tokens=(800, 1200), output_tokens=(150, 150)
)


def spec(*options: QuickOption):
    return quick_spec(name="x", requests_per_year=(1e6, 2e6), years=3, fte_usd=200_000, options=options)


def test_the_form_becomes_a_spec():
    said = spec(API, OWN)
    assert said["load"] == {"requests_per_year": [1e6, 2e6]}
    api, own = said["options"]
    assert api["serving"] == {
        "kind": "managed-api",
        "input_tokens": [800, 1200],
        "output_tokens": 150,
        "prices": {"sku": "openai/gpt-4o-mini"},
    }
    assert "training" not in api
    assert own["training"] == {"gpu_hours": 40, "usd_per_gpu_h": {"sku": "aws/us-east-1/p4d.24xlarge"}}
    assert own["serving"] == {
        "kind": "self-hosted",
        "service_s": [0.1, 0.14],
        "limit_s": 0.5,
        "slots": 4,
        "min_replicas": 2,
        "usd_per_replica_h": {"sku": "aws/us-east-1/g5.xlarge"},
    }
    assert own["ownership"] == {"development_usd": 0, "maintenance_fte": [0.3, 0.8]}


def test_the_spec_is_one_the_calculator_takes_and_json_says():
    read = read_spec(json.loads(json.dumps(spec(API, OWN))), shipped_book())
    assert [option.title for option in read.options] == ["API", "Own"]
    assert (read.shared.years, read.shared.fte_usd) == (3, 200_000)


def test_what_was_not_said_is_zero_for_the_spec_to_refuse():
    bare = QuickOption(id="a", title="A", kind=SELF_HOSTED, sku="aws/us-east-1/g5.xlarge")
    assert spec(bare)["options"][0]["serving"]["service_s"] == 0.0
