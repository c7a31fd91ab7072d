"""Files, container images, managed models and pipelines: documents, digests, and what each kind answers."""

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid
from weighbridge.subjects import SUBJECT_KINDS, Way, document_of, parse_subject
from weighbridge.subjects.container import pinned
from weighbridge.subjects.managed import is_alias, offer_digest

HEX = "ab" * 32
PULLED = f"sha256:{HEX}"
FILE = {"kind": "file", "format": "onnx", "sha256": HEX}
CONTAINER = {"kind": "container", "image": f"ghcr.io/team/model@sha256:{HEX}"}
MANAGED = {"kind": "managed", "provider": "openai", "model": "gpt-4o", "snapshot": "2024-08-06"}
MANIFEST = {"kind": "manifest", "files": [{"path": "a", "sha256": HEX, "size_bytes": 5}]}
PIPELINE = {
    "kind": "pipeline",
    "parts": [{"role": "retriever", "subject": FILE}, {"role": "writer", "subject": MANAGED}],
}
DEPLOYMENT = {
    "kind": "deployment",
    "model": FILE,
    "server": {"image": CONTAINER["image"]},
    "hardware": {"accelerator": "h100"},
}
DOCUMENTS = [FILE, CONTAINER, MANAGED, MANIFEST, PIPELINE, DEPLOYMENT]


def kind_of(subject):
    return SUBJECT_KINDS[subject.kind]


def described(document):
    subject = parse_subject(document)
    return kind_of(subject).describe(subject)


def refused(document):
    with pytest.raises(Invalid) as refusal:
        parse_subject(document)
    return refusal.value


def test_the_kinds():
    assert {name: kind.label for name, kind in SUBJECT_KINDS.items()} == {
        "file": "Model file",
        "manifest": "Folder of files",
        "container": "Container image",
        "managed": "Managed model",
        "pipeline": "Pipeline",
        "deployment": "Deployment of a model",
    }


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_of_a_subject_is_that_subject(document):
    subject = parse_subject(document)
    assert parse_subject(document_of(subject)) == subject
    assert parse_subject(json.loads(json.dumps(document_of(subject)))) == subject
    assert subject.digest.startswith("sha256:")


def test_an_unknown_kind_lists_the_known_ones():
    refusal = refused({"kind": "robot"})
    assert refusal.reason == "kind must be one of file, manifest, container, managed, pipeline, deployment."
    assert refusal.field == "kind"
    assert refused([]).reason == "The document must be a mapping of names to values."


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_parser_reads_its_own_kind_only(document):
    for name, kind in SUBJECT_KINDS.items():
        if name != document["kind"]:
            with pytest.raises(Invalid, match=f"kind must be {name}"):
                kind.parse(document)


# Files ----------------------------------------------------------------------------------------------------------------


def test_a_file_is_its_digest():
    subject = parse_subject(FILE | {"sha256": f"sha256:{HEX}", "size_bytes": 2**40, "name": "search.onnx"})
    assert subject.digest == f"sha256:{HEX}"
    assert subject.document == FILE | {"size_bytes": 2**40, "name": "search.onnx"}
    assert kind_of(subject).describe(subject) == "search.onnx: onnx, 1,099,511,627,776 bytes"
    assert kind_of(subject).ends_on(subject) is None
    assert described(FILE) == "onnx file abababababab: onnx"


def test_a_folder_is_measured_by_a_worker():
    subject = parse_subject(MANIFEST)
    assert kind_of(subject).measured_by(subject) == (Way.WORKER, Way.ENDPOINT, Way.ATTESTED)


@pytest.mark.parametrize(("form", "way"), [("onnx", Way.HERE), ("skops", Way.HERE), ("gguf", Way.WORKER)])
def test_weights_alone_are_not_measured_here(form, way):
    subject = parse_subject(FILE | {"format": form})
    assert kind_of(subject).measured_by(subject)[0] is way


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"format": "pickle"}, "format"),
        ({"sha256": "abc"}, "sha256"),
        ({"sha256": HEX.upper()}, "sha256"),
        ({"size_bytes": "5"}, "size_bytes"),
        ({"size_bytes": 2**63}, "size_bytes"),
        ({"name": "a\nb"}, "name"),
        ({"path": "x"}, "path"),
    ],
)
def test_documents_of_files_are_strict(change, field):
    assert refused(FILE | change).field == field


def test_a_manifest_is_described_with_its_size_if_all_sizes_are_known():
    assert described(MANIFEST | {"name": "weights"}) == "weights: 1 files, 5 bytes"
    assert "bytes" not in described(MANIFEST | {"files": [{"path": "a", "sha256": HEX}]})


# Container images -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "canonical"),
    [
        ("ghcr.io/team/model", "ghcr.io/team/model"),
        ("GHCR.io/team/model", "ghcr.io/team/model"),
        ("localhost/a", "localhost/a"),
        ("registry:5000/a__b/c.d/e--f_g", "registry:5000/a__b/c.d/e--f_g"),
        ("[2001:db8::1]:5000/a", "[2001:db8::1]:5000/a"),
        ("ghcr.io/team/model:v1.2_x", "ghcr.io/team/model"),
        ("123.dkr.ecr.eu-west-1.amazonaws.com/a", "123.dkr.ecr.eu-west-1.amazonaws.com/a"),
    ],
)
def test_an_image_is_its_digest(image, canonical):
    subject = parse_subject(CONTAINER | {"image": f"{image}@sha256:{HEX}", "platform": "linux/arm/v7"})
    assert subject.digest == f"sha256:{HEX}"
    assert subject.document == CONTAINER | {"image": f"{canonical}@sha256:{HEX}", "platform": "linux/arm/v7"}
    assert kind_of(subject).describe(subject) == f"{canonical}@sha256:{HEX} (linux/arm/v7)"
    assert kind_of(subject).measured_by(subject)[0] is Way.WORKER


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("registry.test/search/ranker:1", f"registry.test/search/ranker@{PULLED}"),
        (f"registry.test:5000/ranker@sha256:{'9' * 64}", f"registry.test:5000/ranker@{PULLED}"),
        ("ranker:1", f"docker.io/library/ranker@{PULLED}"),
        ("search/ranker", f"docker.io/search/ranker@{PULLED}"),
        ("registry.test/Search/Ranker", ""),
        ("", ""),
    ],
)
def test_an_image_is_pinned_to_the_digest_that_was_pulled(image, expected):
    assert pinned(image, PULLED) == expected
    assert pinned(image, "latest") == ""


def test_an_image_without_a_platform_has_none():
    assert described(CONTAINER) == CONTAINER["image"]
    assert parse_subject(CONTAINER).title == "model abababababab"


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("ghcr.io/team/model:v1", "docker buildx imagetools inspect ghcr.io/team/model:v1"),
        ("ghcr.io/team/model", "has no digest"),
        (f"ghcr.io/team/model@sha512:{HEX * 2}", "must end with @sha256:"),
        ("ghcr.io/team/model@sha256:abc", "must end with @sha256:"),
        (f"ubuntu:22.04@sha256:{HEX}", "like docker.io/library/ubuntu."),
        (f"team/model@sha256:{HEX}", "like docker.io/team/model."),
        (f"-a.io/model@sha256:{HEX}", "must begin with its registry"),
        (f"ghcr.io/Team/model@sha256:{HEX}", "lower-case names"),
        (f"ghcr.io/team//model@sha256:{HEX}", "lower-case names"),
        (f"ghcr.io/team/___model@sha256:{HEX}", "lower-case names"),
        (f"ghcr.io/{'a' * 256}@sha256:{HEX}", "lower-case names"),
        (f"ghcr.io/@sha256:{HEX}", "lower-case names"),
        (f"ghcr.io/a:@sha256:{HEX}", "invalid tag"),
        (f"ghcr.io/a:{'x' * 129}@sha256:{HEX}", "invalid tag"),
        (f"ghcr.io/a@sha256:{HEX}@sha256:{HEX}", "must end with @sha256:"),
    ],
)
def test_images_without_a_digest_and_other_texts_are_refused(image, words):
    refusal = refused(CONTAINER | {"image": image})
    assert refusal.field == "image"
    assert words in refusal.reason


@pytest.mark.parametrize("platform", ["linux", "linux/", "linux/amd64/v1/x", "Linux/amd64"])
def test_platforms_have_a_system_and_a_processor(platform):
    assert refused(CONTAINER | {"platform": platform}).field == "platform"


# Managed models -------------------------------------------------------------------------------------------------------


def test_a_provider_offers_a_model_whatever_the_parameters_of_the_calls():
    offered = offer_digest(parse_subject(MANAGED))
    same = (
        MANAGED | {"parameters": {"temperature": 1}},
        MANAGED | {"retires_on": "2027-01-01"},
        MANAGED | {"provider": "OpenAI"},
    )
    assert {offer_digest(parse_subject(each)) for each in same} == {offered}
    others = (MANAGED | {"region": "eu"}, MANAGED | {"snapshot": "2024-11-20"}, MANAGED | {"model": "gpt-4o-mini"})
    assert offered not in {offer_digest(parse_subject(each)) for each in others}
    assert offered not in {parse_subject(each).digest for each in (MANAGED, *same)}


def test_a_managed_model_is_what_selects_it():
    subject = parse_subject(MANAGED | {"provider": "OpenAI", "region": "eu", "retires_on": "2027-01-31"})
    expected = MANAGED | {"region": "eu", "parameters": {}}
    assert subject.digest == digest_of(expected)
    assert subject.document == expected | {"retires_on": "2027-01-31"}
    assert subject.title == "openai/gpt-4o 2024-08-06"
    assert kind_of(subject).ends_on(subject) == date(2027, 1, 31)
    assert kind_of(subject).measured_by(subject) == (Way.ENDPOINT, Way.ATTESTED)
    text = "openai/gpt-4o 2024-08-06 in eu, retires on 2027-01-31"
    assert kind_of(subject).describe(subject) == text


def test_the_day_of_retirement_is_no_part_of_the_digest():
    known = parse_subject(MANAGED | {"retires_on": date(2027, 1, 31)})
    assert known.digest == parse_subject(MANAGED).digest
    assert kind_of(known).ends_on(parse_subject(MANAGED)) is None


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        ("", True),
        ("latest", True),
        ("stable", True),
        ("release", True),
        ("preview-05", True),
        ("2024-08-06", False),
        ("20241022-v2:0", False),
        ("002", False),
        ("v1.5", False),
    ],
)
def test_aliases_are_flagged(snapshot, expected):
    subject = parse_subject(MANAGED | {"snapshot": snapshot})
    assert is_alias(subject) is expected
    assert ("an alias that the provider may change" in kind_of(subject).describe(subject)) is expected


@pytest.mark.parametrize("name", ["gpt-4o-2024-08-06", "anthropic.claude-3-5-sonnet-20241022"])
def test_a_name_with_a_date_needs_it_as_its_snapshot(name):
    refusal = refused({"kind": "managed", "provider": "x", "model": name})
    assert refusal.field == "snapshot"
    assert "write snapshot: 2024" in refusal.reason


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"provider": "a b"}, "provider"),
        ({"model": ""}, "model"),
        ({"model": "x\ty"}, "model"),
        ({"snapshot": 5}, "snapshot"),
        ({"retires_on": "soon"}, "retires_on"),
        ({"parameters": [1]}, "parameters"),
        ({"parameters": {"a": {1: 2}}}, "parameters"),
        ({"parameters": {"a": {"": 2}}}, "parameters"),
        ({"parameters": {"a": date(2026, 1, 1)}}, "parameters"),
        ({"parameters": {"a": float("nan")}}, "parameters"),
        ({"parameters": {"a": 1e300}}, "parameters"),
        ({"parameters": {"a": 2**53 + 1}}, "parameters"),
        ({"parameters": {"a": Decimal("NaN")}}, "parameters"),
        ({"parameters": {"a": Decimal("0.1000000000000000000001")}}, "parameters"),
        ({"parameters": {"a": "x" * 20_001}}, "parameters"),
        ({"parameters": {"a": list(range(1_001))}}, "parameters"),
        ({"parameters": {"a": [[[[[[[[[[1]]]]]]]]]]}}, "parameters"),
        ({"temperature": 0.7}, "temperature"),
    ],
)
def test_documents_of_managed_models_are_strict(change, field):
    assert refused(MANAGED | change).field == field


def parameters(**values):
    return parse_subject(MANAGED | {"parameters": values})


def test_numbers_are_exact():
    assert parameters(t=Decimal("0.70")) == parameters(t=0.7)
    assert parameters(t=Decimal(5)) == parameters(t=5.0) == parameters(t=5)
    assert parameters(t=0.7).digest != parameters(t="0.7").digest
    assert parameters(t=True).digest != parameters(t=1).digest
    assert parameters(t=None, u={"v": [1, (2, "x")]}).document["parameters"] == {"t": None, "u": {"v": [1, [2, "x"]]}}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e15, 1e15) | st.text("abé", max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("xyz", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), VALUES, max_size=5), st.randoms())
def test_the_order_of_keys_decides_nothing(values, chance):
    try:
        subject = parameters(**values)
    except Invalid:
        return
    keys = list(values)
    chance.shuffle(keys)
    assert parameters(**{key: values[key] for key in keys}) == subject
    assert parse_subject(json.loads(json.dumps(document_of(subject)))) == subject
    assert parameters(**values, zz=1).digest != subject.digest


# Pipelines ------------------------------------------------------------------------------------------------------------


def pipeline(*parts):
    return {"kind": "pipeline", "parts": [{"role": role, "subject": subject} for role, subject in parts]}


def test_a_pipeline_is_its_parts_in_order():
    subject = parse_subject(PIPELINE)
    parts = [parse_subject(FILE), parse_subject(MANAGED)]
    listed = zip(("retriever", "writer"), parts, strict=True)
    assert subject.digest == digest_of(
        [{"role": role, "kind": part.kind, "digest": part.digest} for role, part in listed]
    )
    assert subject.title == "retriever, writer"
    assert kind_of(subject).describe(subject) == "retriever: onnx file abababababab → writer: openai/gpt-4o 2024-08-06"
    turned = parse_subject({"kind": "pipeline", "parts": PIPELINE["parts"][::-1]})
    assert turned.digest != subject.digest
    renamed = pipeline(("ranker", FILE), ("writer", MANAGED))
    assert parse_subject(renamed).digest != subject.digest


def test_a_pipeline_ends_with_the_first_of_its_parts():
    soon, late = MANAGED | {"retires_on": "2027-01-01"}, MANAGED | {"retires_on": "2028-01-01"}
    subject = parse_subject(pipeline(("a", late), ("b", soon), ("c", FILE)))
    assert kind_of(subject).ends_on(subject) == date(2027, 1, 1)
    assert subject.digest == parse_subject(pipeline(("a", MANAGED), ("b", MANAGED), ("c", FILE))).digest
    alone = parse_subject(pipeline(("c", FILE)))
    assert kind_of(alone).ends_on(alone) is None


def test_a_worker_runs_a_pipeline_only_if_it_can_run_every_part():
    own, managed = parse_subject(pipeline(("a", FILE), ("b", CONTAINER))), parse_subject(PIPELINE)
    assert kind_of(own).measured_by(own) == (Way.WORKER, Way.ENDPOINT, Way.ATTESTED)
    assert kind_of(managed).measured_by(managed) == (Way.ENDPOINT, Way.ATTESTED)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (pipeline(), "parts"),
        (pipeline(*((f"p{number}", FILE) for number in range(21))), "parts"),
        (pipeline(("a", FILE), ("a", MANAGED)), "parts[1].role"),
        (pipeline(("A b", FILE)), "parts[0].role"),
        (pipeline(("a", PIPELINE)), "parts[0].subject.kind"),
        (pipeline(("a", {"kind": "robot"})), "parts[0].subject.kind"),
        (pipeline(("a", FILE), ("b", MANAGED | {"provider": "?"})), "parts[1].subject.provider"),
        (pipeline(("a", FILE | {"format": "x"})), "parts[0].subject.format"),
        (pipeline(("a", 5)), "parts[0].subject"),
        (PIPELINE | {"more": 1}, "more"),
    ],
)
def test_documents_of_pipelines_are_strict(document, field):
    assert refused(document).field == field


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=2), max_leaves=4
)


@given(st.sampled_from(DOCUMENTS), st.data())
def test_nothing_but_refusals_is_raised(document, data):
    changed = dict(document)
    changed[data.draw(st.sampled_from([*document, "other"]))] = data.draw(JSON | st.sampled_from(DOCUMENTS))
    try:
        parse_subject(changed)
    except Invalid as refusal:
        assert refusal.reason.endswith(".")  # noqa: PT017 -- what is not refused is fine, too
