"""A workload report: what one cluster runs in one environment at one time.

The document is `{cluster, environment, observed_at, workloads: [...]}`. A workload has `name` and may have `namespace`,
`image`, `image_digest`, `model_digests`, `since`, `replicas`, `gpus` (`{type: number}`, of all replicas together) and
`owner`. The digest of the image is what the cluster pulled; the digests of models and the owner are claims of whoever
deployed. A report authorizes nothing.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from weighbridge.core.canonical import digest_of, is_digest, plain
from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid

MOST_WORKLOADS = 5_000
MOST_MODELS, MOST_TYPES = 20, 10
LONGEST_NAME, LONGEST_IMAGE = 200, 500
LARGEST_COUNT = 1_000_000
_CLUSTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,79}")
_LINE = re.compile(r"[^\x00-\x1f\x7f]*")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The replicas that run the same artifacts under one name; empty fields are unknown."""

    name: str
    namespace: str = ""
    image: str = ""
    image_digest: str = ""
    model_digests: tuple[str, ...] = ()
    since: datetime | None = None
    replicas: int = 1
    gpus: Mapping[str, int] = dataclasses.field(default_factory=dict)
    owner: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        """What tells workloads of one report apart."""
        return (self.namespace, self.name, self.image, self.image_digest, self.model_digests)

    def as_document(self) -> dict[str, Any]:
        """Return the JSON document, without unknown fields."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: plain(value) for name, value in fields.items() if value not in ("", (), None, {})}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadReport:
    """What a cluster ran at `observed_at`."""

    cluster: str
    environment: str
    observed_at: datetime
    workloads: tuple[Workload, ...]

    @property
    def digest(self) -> str:
        """The digest of the workloads, whatever their order; a later report of the same has the same digest."""
        return digest_of(sorted((each.as_document() for each in self.workloads), key=digest_of))

    def as_document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {
            "cluster": self.cluster,
            "environment": self.environment,
            "observed_at": plain(self.observed_at),
            "workloads": [each.as_document() for each in self.workloads],
        }


def read_report(document: object) -> WorkloadReport:
    """Return the report of a document; raise Invalid with the path of the invalid key."""
    reader = Reader(document)
    cluster, at = reader.text("cluster"), _instant(reader, "observed_at")
    if not _CLUSTER.fullmatch(cluster):
        raise reader.fault("cluster", "must be a name of at most 80 letters, digits and . _ : / -.")
    environment = reader.text("environment")
    check_count(reader.plain("workloads"))
    workloads = reader.items("workloads", read_workload)
    reader.close()
    report = WorkloadReport(cluster=cluster, environment=environment, observed_at=at, workloads=workloads)
    _check_report(report)
    return report


def check_count(workloads: object) -> None:
    """Raise Invalid for more workloads than a report may have, before any of them is read."""
    if isinstance(workloads, Sequence) and len(workloads) > MOST_WORKLOADS:
        text = f"The report has {len(workloads):,} workloads; the limit is {MOST_WORKLOADS:,}. Report a part of them."
        raise Invalid(f"{text} Each part needs a cluster name of its own.", field="workloads")


def _check_report(report: WorkloadReport) -> None:
    """Raise Invalid for a workload that occurs twice or that began after it was observed."""
    counts = Counter(each.key for each in report.workloads)
    for place, workload in enumerate(report.workloads):
        if counts[workload.key] > 1:
            text = f"workloads[{place}] occurs twice: {workload.name!r} with the same image and models."
            raise Invalid(f"{text} Add up its replicas.", field=f"workloads[{place}].name")
        if workload.since is not None and workload.since > report.observed_at:
            text = f"workloads[{place}].since is after observed_at; a workload cannot begin after it was observed."
            raise Invalid(text, field=f"workloads[{place}].since")


def read_workload(reader: Reader) -> Workload:
    """Return one workload; the caller closes the reader."""
    return Workload(
        name=_line(reader, "name", is_required=True),
        namespace=_line(reader, "namespace"),
        image=_line(reader, "image", longest=LONGEST_IMAGE),
        image_digest=_digest(reader, "image_digest"),
        model_digests=_digests(reader, "model_digests"),
        since=_instant(reader, "since") if reader.asks("since") else None,
        replicas=reader.whole("replicas", 1, at_least=1, at_most=LARGEST_COUNT),
        gpus=_gpus(reader.mapping("gpus")),
        owner=_line(reader, "owner"),
    )


def _line(reader: Reader, key: str, *, is_required: bool = False, longest: int = LONGEST_NAME) -> str:
    text = reader.text(key, None if is_required else "")
    if len(text) > longest or not _LINE.fullmatch(text):
        raise reader.fault(key, f"must be text of one line, at most {longest} characters.")
    return text


def _digest(reader: Reader, key: str) -> str:
    text = reader.text(key, "")
    if text and not is_digest(text):
        reason = "must be sha256: and 64 lower-case hexadecimal digits; leave it out if only a tag is known."
        raise reader.fault(key, reason)
    return text


def _digests(reader: Reader, key: str) -> tuple[str, ...]:
    digests = reader.words(key)
    if len(digests) > MOST_MODELS or not all(map(is_digest, digests)):
        reason = f"must be a list of at most {MOST_MODELS} digests, each sha256: and 64 lower-case hexadecimal digits."
        raise reader.fault(key, reason)
    return digests


def _gpus(reader: Reader) -> dict[str, int]:
    if len(reader.names) > MOST_TYPES:
        raise Invalid(f"{reader.path} must have at most {MOST_TYPES} types.", field=reader.path)
    for name in reader.names:
        if len(name) > LONGEST_NAME or not name.strip() or not _LINE.fullmatch(name):
            text = f"{reader.path} must have types of one line, at most {LONGEST_NAME} characters."
            raise Invalid(text, field=reader.path)
    return {name: reader.whole(name, at_least=1, at_most=LARGEST_COUNT) for name in reader.names}


def _instant(reader: Reader, key: str) -> datetime:
    value = reader.plain(key)
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        moment = None
    if not isinstance(moment, datetime) or moment.utcoffset() is None:
        raise reader.fault(key, "must be a time with its zone, like 2026-09-01T08:00:00Z.")
    return moment
