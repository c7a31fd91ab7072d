"""lm-evaluation-harness: `results_*.json` (https://github.com/EleutherAI/lm-evaluation-harness, version 0.4).

Each task is a result. Its metrics are named `metric,filter`; `acc,none` is the share of correct answers, our accuracy.
All others have definitions of the task and keep their name. Averages over the tasks of a group are results of their
own, and indicative.
"""

from collections.abc import Iterable, Mapping

from weighbridge.readers.fields import Fields, shown
from weighbridge.readers.findings import Findings
from weighbridge.readers.imported_result import ImportedResult, ImportStatus, SubjectHint
from weighbridge.readers.intervals import normal_sample
from weighbridge.readers.opened import Opened

NAME, TOOL = "lm_eval", "lm-evaluation-harness"
KEYS = {"results", "configs", "n-shot"}
OWN = {"acc,none": "accuracy"}
SHARES = ("acc", "acc_norm", "exact_match", "f1")
NO_NUMBER = "N/A"  # the tool writes this for a standard error that it cannot compute
SETTINGS = ("model", "model_args", "batch_size", "device", "limit", "gen_kwargs", "bootstrap_iters", "random_seed")
NO_UNIT = "The unit of this metric is that of its task."


def detects(opened: Opened) -> bool:
    """Whether the file is a report of results."""
    return opened.document.keys() >= KEYS


def read(opened: Opened) -> Iterable[ImportedResult]:
    """Return a result for each task, then one for each group; raise Invalid."""
    report = Fields(opened.document, file=opened.name)
    groups = set(report.inside("groups").names) | set(report.inside("group_subtasks").names)
    groups -= set(report.inside("n-samples").names)
    results = report.inside("results")
    ordered = sorted(results.names, key=lambda task: task in groups)
    return (_result(opened, report, task, is_group=task in groups) for task in ordered)


def _result(opened: Opened, report: Fields, task: str, *, is_group: bool) -> ImportedResult:
    findings = Findings(reader=NAME, tool=TOOL, files=(opened.file,), part=task)
    findings.tool_version = report.text("lm_eval_version")
    findings.started_at = report.unix_moment("date")
    findings.absent("ended_at", "The file states how long the evaluation took, not when it ended.")
    found = report.inside("results", task)
    n = report.inside("n-samples", task).count("effective")
    n = n if n is not None else found.count("sample_len")
    model = report.text("model_name") or report.inside("config").text("model")
    findings.model = SubjectHint(name=_pretrained(report) or model)
    findings.data = SubjectHint(name=task, n=n)
    _conditions(findings, report, task)
    _judge(findings, report, task, is_group=is_group)
    for key in found.names:
        metric, _, filtered = key.partition(",")
        if filtered and not metric.endswith("_stderr"):
            own = None if is_group else OWN.get(key)
            _metric(findings, found, key, own or f"{NAME}.{key.removesuffix(',none')}", n)
    return findings.result()


def _pretrained(report: Fields) -> str | None:
    """Return the name of the weights; older versions state the arguments as one text, which is not taken apart."""
    config = report.inside("config")
    is_mapping = isinstance(config.plain("model_args"), Mapping)
    return config.inside("model_args").text("pretrained") if is_mapping else None


def _metric(findings: Findings, found: Fields, key: str, name: str, n: int | None) -> None:
    metric, _, filtered = key.partition(",")
    if found.plain(key) == NO_NUMBER:
        findings.absent(name, "The tool gives no value (N/A).")
        return
    error_key = f"{metric}_stderr,{filtered}"
    error = None if found.plain(error_key) == NO_NUMBER else found.number(error_key)
    if error is None:
        findings.absent(f"{name} interval", "The tool gives no standard error.")
    value, is_share = found.number(key), metric in SHARES
    sample = normal_sample(findings, name, value=value, error=error, n=n, is_share=is_share)
    findings.metric(name, value, "ratio" if is_share else "unstated", sample)


def _conditions(findings: Findings, report: Fields, task: str) -> None:
    settings, task_settings = report.inside("config"), report.inside("configs", task)
    for key in SETTINGS:
        value = settings.plain(key)
        pairs = value.items() if isinstance(value, dict) else ((None, value),)
        for inner, item in pairs:
            findings.condition(key if inner is None else f"{key}.{inner}", item)
    findings.condition("few_shot", report.inside("n-shot").plain(task))
    findings.condition("task_version", report.inside("versions").plain(task))
    findings.condition("task_hash", report.inside("task_hashes").plain(task))
    for key in ("dataset_path", "dataset_name", "validation_split", "test_split", "output_type"):
        findings.condition(key, task_settings.plain(key))
    findings.condition("git_hash", report.plain("git_hash"))
    findings.condition("transformers_version", report.plain("transformers_version"))
    findings.condition("chat_template_digest", report.plain("chat_template_sha"))
    findings.condition("system_instruction", report.plain("system_instruction"))
    findings.condition("evaluation_time_s", report.plain("total_evaluation_time_seconds"))


def _judge(findings: Findings, report: Fields, task: str, *, is_group: bool) -> None:
    if is_group:
        tasks = shown(report.inside("group_subtasks").list(task))
        text = f"This is an average over tasks ({tasks or 'not listed'}), not a metric of one data set."
        findings.doubt(ImportStatus.INDICATIVE, text)
    counts = report.inside("n-samples", task)
    original, effective = counts.count("original"), counts.count("effective")
    if original is not None and effective is not None and effective < original:
        text = f"Only {effective:,} of {original:,} examples were evaluated; the first ones, not a random sample."
        findings.doubt(ImportStatus.INDICATIVE, text)
