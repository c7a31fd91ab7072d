"""Workloads from the output of kubectl: digests that nodes pulled, accelerators, controllers, and what does not run."""

from datetime import UTC, datetime

import pytest

from weighbridge.client.workloads.kubernetes import is_list_of_pods, workloads_of_pods
from weighbridge.client.workloads.lists import workloads_of_csv, workloads_of_list
from weighbridge.client.workloads.report import Workload
from weighbridge.core.errors import Invalid

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
PULLED, PINNED, MODEL, OTHER = ("sha256:" + letter * 64 for letter in "abcd")
IMAGE = "registry.test/search/ranker"
GPUS = {"resources": {"limits": {"nvidia.com/gpu": "4", "cpu": "8"}}}


def pod(name="ranker-5f6-x1", containers=None, statuses=None, phase="Running", **metadata):
    listed = containers if containers is not None else [{"name": "server", "image": f"{IMAGE}:1", **GPUS}]
    told = statuses if statuses is not None else [{"name": "server", "imageID": f"{IMAGE}@{PULLED}"}]
    labels = {"pod-template-hash": "5f6", "weighbridge.dev/team": "search"}
    owners = [{"kind": "Node", "name": "n"}, {"kind": "ReplicaSet", "name": "ranker-5f6", "controller": True}]
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "search", "labels": labels, "ownerReferences": owners, **metadata},
        "spec": {"containers": listed, "nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-H100"}},
        "status": {"phase": phase, "startTime": "2026-10-01T00:00:00Z", "containerStatuses": told},
    }


def found(*pods, **options):
    return workloads_of_pods({"kind": "List", "items": list(pods)}, observed_at=AT, **options)


RANKER = Workload(
    name="ranker",
    namespace="search",
    image=f"{IMAGE}:1",
    image_digest=PULLED,
    since=datetime(2026, 10, 1, tzinfo=UTC),
    gpus={"NVIDIA-H100": 4},
    owner="search",
)


def test_pods_of_a_deployment_are_one_workload():
    later = pod(name="ranker-5f6-x2")
    later["status"]["startTime"] = "2026-10-02T00:00:00Z"
    (both,) = found(later, pod())
    assert both == Workload(**{**fields(RANKER), "replicas": 2, "gpus": {"NVIDIA-H100": 8}})


def fields(workload):
    return {name: getattr(workload, name) for name in Workload.__dataclass_fields__}


def test_two_digests_of_a_rollout_are_two_workloads():
    new = pod(statuses=[{"name": "server", "imageID": f"{IMAGE}@{OTHER}"}])
    assert [each.image_digest for each in found(pod(), new)] == [PULLED, OTHER]


@pytest.mark.parametrize(
    ("image", "image_id", "digest"),
    [
        ("r/a:1", f"docker-pullable://r/a@{PULLED}", PULLED),
        (f"r/a@{PINNED}", f"r/a@{PULLED}", PULLED),
        (f"r/a@{PINNED}", "", PINNED),
        ("r/a:latest", PULLED, ""),  # the digest of a configuration
        ("r/a:latest", "", ""),
    ],
)
def test_the_digest_is_the_one_that_the_node_pulled(image, image_id, digest):
    one = pod(containers=[{"name": "c", "image": image, **GPUS}], statuses=[{"name": "c", "imageID": image_id}])
    assert [each.image_digest for each in found(one)] == [digest]


def test_without_all_only_accelerators_and_named_models_count():
    plain = pod(containers=[{"name": "server", "image": IMAGE}])
    named = pod(containers=[{"name": "server", "image": IMAGE}], annotations={"weighbridge.dev/model-digest": MODEL})
    assert found(plain) == ()
    assert [each.model_digests for each in found(named)] == [(MODEL,)]
    assert len(found(plain, has_all=True)) == 1


def test_the_annotation_names_models_and_nothing_else():
    one = pod(annotations={"weighbridge.dev/model-digest": f"{MODEL}, {MODEL}, latest,{OTHER}"})
    assert found(one)[0].model_digests == (MODEL, OTHER)


@pytest.mark.parametrize("phase", ["Pending", "Succeeded", "Failed", None])
def test_what_does_not_run_is_left_out(phase):
    assert found(pod(phase=phase)) == ()
    assert found({**pod(), "kind": "Node"}) == ()


def test_sidecars_and_debug_containers_run_too():
    one = pod()
    one["spec"] |= {
        "initContainers": [{"name": "setup", **GPUS}, {"name": "side", "restartPolicy": "Always", **GPUS}],
        "ephemeralContainers": [{"name": "ended", **GPUS}, {"name": "debug", **GPUS}],
    }
    one["status"]["ephemeralContainerStatuses"] = [
        {"name": "ended", "state": {"terminated": {}}},
        {"name": "debug", "state": {"running": {}}},
    ]
    assert [each.name for each in found(one)] == ["ranker/debug", "ranker/server", "ranker/side"]


@pytest.mark.parametrize(
    ("limits", "gpus"),
    [
        ({"nvidia.com/gpu": 2}, {"NVIDIA-H100": 2}),
        ({"nvidia.com/mig-1g.10gb": "1", "amd.com/gpu": "1"}, {"nvidia.com/mig-1g.10gb": 1, "NVIDIA-H100": 1}),
        ({"google.com/tpu": "8", "nvidia.com/gpu": "0", "x/gpu": "many"}, {"NVIDIA-H100": 8}),
    ],
)
def test_accelerators_by_type(limits, gpus):
    one = pod(containers=[{"name": "server", "image": IMAGE, "resources": {"limits": limits}}])
    assert found(one)[0].gpus == gpus


def test_without_a_chosen_type_the_resource_is_the_type():
    one = pod()
    del one["spec"]["nodeSelector"]
    assert found(one)[0].gpus == {"nvidia.com/gpu": 4}


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("2027-01-01T00:00:00Z", AT),  # the clock of the cluster is ahead
        ("soon", None),
        ("2026-10-01T00:00:00", None),
        (7, None),
    ],
)
def test_a_start_that_cannot_be(text, since):
    one = pod()
    one["status"]["startTime"] = text
    assert found(one)[0].since == since
    assert [each.since for each in found(one, one)] == [since]


def test_a_pod_without_anything_is_no_error():
    assert found({}, {"status": {"phase": "Running"}}, has_all=True) == ()
    bare = {"metadata": {"name": "p"}, "spec": {"containers": [{}, "x"]}, "status": {"phase": "Running"}}
    assert found(bare, has_all=True) == (Workload(name="p"),)


@pytest.mark.parametrize("document", [None, [], {"kind": "Pod"}, {"kind": "List", "items": {}}])
def test_another_document_is_refused(document):
    with pytest.raises(Invalid, match="kubectl get pods"):
        workloads_of_pods(document, observed_at=AT)


def test_a_list_of_pods_is_recognized():
    assert is_list_of_pods({"kind": "PodList"})
    assert not is_list_of_pods([])


CSV = f"""name,namespace,image_digest,model_digests,since,replicas,gpus,owner
ranker,search,{PULLED},{MODEL} {OTHER},2026-10-01T00:00:00Z,2,H100:8 nvidia.com/mig:1:4,search
bare,,,,,,,
"""


def test_a_csv_has_a_row_for_each_workload():
    since = datetime(2026, 10, 1, tzinfo=UTC)
    gpus = {"H100": 8, "nvidia.com/mig:1": 4}
    assert workloads_of_csv(CSV) == (
        Workload(
            name="ranker",
            namespace="search",
            image_digest=PULLED,
            model_digests=(MODEL, OTHER),
            since=since,
            replicas=2,
            gpus=gpus,
            owner="search",
        ),
        Workload(name="bare"),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name\n", "no rows"),
        ("name,approved\na,yes\n", "'approved', which is unknown"),
        ("name\na,b\n", "Row 2 .* more cells"),
        ("name,gpus\na,H100\n", "Row 2 .* gpus: write it like H100:8"),
        ("name,gpus\na,H100:x\n", "gpus"),
        ("name,replicas\na,two\n", "replicas"),
        ('name\n"a\n', "cannot be read"),
    ],
)
def test_a_wrong_csv_says_where(text, words):
    with pytest.raises(Invalid, match=words):
        workloads_of_csv(text)


def test_a_json_list_is_that_of_a_report():
    assert workloads_of_list([{"name": "a"}]) == (Workload(name="a"),)
    with pytest.raises(Invalid, match=r"workloads\[0\]\.name is missing"):
        workloads_of_list([{}])
