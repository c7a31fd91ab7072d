"""Systems that run elsewhere: a command, JSON of any form over HTTP, and the Open Inference Protocol over gRPC."""

import concurrent.futures
import json
import sys

import grpc
import numpy as np
import pytest

from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.columns import Ragged
from weighbridge.measure.inputs.data_set import DataSet, write_data_set
from weighbridge.measure.inputs.spec import InputSpec
from weighbridge.measure.scenarios import ProfileSettings, SingleStream, WarmUp
from weighbridge.systems import endpoint
from weighbridge.systems.engine_errors import ModelFailed
from weighbridge.systems.external import command, rows
from weighbridge.systems.external.inference_messages import NAMES, SERVICE, array_of, bytes_of, message_class
from weighbridge.systems.registry import system_of
from weighbridge.systems.sandbox import isolated
from weighbridge.systems.sandbox.limits import Limits

QUICK = ProfileSettings(
    scenario=SingleStream(min_samples=140, min_duration_s=0.0, warmup=WarmUp(value_ms=0.0, max_duration_s=0.2)),
    bootstraps=100,
)
X = np.random.default_rng(4).random((60, 3)).round(3)
PROGRAM = """
import json, sys
for line in sys.stdin:
    row = json.loads(line)
    {body}
    sys.stdout.flush()
"""
ADD = "print(json.dumps({'score': sum(row['x']), 'text': row['text']}))"


@pytest.fixture
def data(tmp_path):
    texts = np.array(["good", "bad ä"] * 30)
    write_data_set(DataSet({"x": X, "text": texts}, X.argmax(axis=1)), tmp_path / "d.npz")
    return tmp_path / "d.npz"


def program(tmp_path, body=ADD):
    (tmp_path / "program.py").write_text(PROGRAM.format(body=body))
    return f"{sys.executable} {tmp_path / 'program.py'}"


def runner_of(name, **options):
    return system_of({"system": name, "options": options}, QUICK).load()


FEED = {"x": np.array([[1.0, 2.0, 3.5]]), "text": np.array(['ä\n"b"'], dtype=object)}


def test_a_command_answers_line_by_line(tmp_path, data):
    runner = runner_of("command", command=program(tmp_path), data=str(data))
    try:
        specs = {InputSpec("text", "string", (1,)), InputSpec("x", "float64", (1, 3))}
        assert set(runner.inputs) == specs
        for _ in range(3):
            score, text = runner.infer(FEED)
            assert (score.tolist(), text.tolist()) == ([6.5], ['ä\n"b"'])
        assert runner.outputs == ("score", "text")
        assert runner.describe()["command"].endswith("program.py")
    finally:
        runner.close()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("print('nothing')", "did not answer in JSON: 'nothing'"),
        ("sys.exit(3)", "ended with status"),
        ("print(json.dumps([[1], [1, 2]]))", "lists of different lengths"),
        ("print('null')", "is no number, text, or list of them"),
        ("print('NaN')", "did not answer in JSON"),
    ],
)
def test_a_command_that_answers_otherwise_fails(tmp_path, data, body, words):
    runner = runner_of("command", command=program(tmp_path, body), data=str(data))
    try:
        with pytest.raises(ModelFailed, match=words):
            runner.infer(FEED)
    finally:
        runner.close()


def test_a_command_must_answer_in_time_in_bounds_and_alike(tmp_path, data, monkeypatch):
    monkeypatch.setattr(command, "TIMEOUT_S", 0.2)
    silent = runner_of("command", command=program(tmp_path, "pass"), data=str(data))
    with pytest.raises(ModelFailed, match="did not answer within"):
        silent.infer(FEED)
    silent.close()
    with pytest.raises(ModelFailed, match="ended with status"):
        silent.infer(FEED)
    monkeypatch.setattr(command, "TIMEOUT_S", 20.0)
    monkeypatch.setattr(command, "ANSWER_LIMITS", rows_limits(10))
    loud = runner_of("command", command=program(tmp_path, "print('1' * 100_000)"), data=str(data))
    with pytest.raises(ModelFailed, match="too long"):
        loud.infer(FEED)
    loud.close()


def rows_limits(bytes_max):
    from weighbridge.core.parsing.limits import DocumentLimits

    return DocumentLimits(bytes_max=bytes_max, values_max=100)


def test_answers_of_other_names_are_refused(tmp_path, data):
    body = "print(json.dumps({'a': 1} if row['x'][0] == 1 else {'b': 1}))"
    runner = runner_of("command", command=program(tmp_path, body), data=str(data))
    assert runner.infer(FEED)[0].tolist() == [1]
    with pytest.raises(ModelFailed, match="The answer has b, the first one had a"):
        runner.infer({**FEED, "x": np.array([[2.0, 0, 0]])})
    runner.close()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"command": "true"}, "give --data with the rows"),
        ({"command": ""}, "Give the command to run"),
        ({"command": "'"}, "cannot be read"),
    ],
)
def test_what_is_no_command_is_refused(options, words):
    with pytest.raises(Invalid, match=words):
        system_of({"system": "command", "options": options}, QUICK)


def test_a_program_that_does_not_exist_is_refused(data):
    with pytest.raises(Invalid, match="/no/such cannot be started"):
        runner_of("command", command="/no/such", data=str(data))


@pytest.mark.parametrize(
    ("name", "options", "where"),
    [
        ("command", {"command": "true"}, "a command"),
        ("http-json", {"url": "http://127.0.0.1:9"}, "a model behind HTTP"),
    ],
)
def test_nothing_is_known_of_the_size_of_a_model_elsewhere(template, data, name, options, where):
    options = {**options, "template": str(template), "data": str(data)}
    sizes = system_of({"system": name, "options": options}, QUICK).sizes(None)
    names = ("model_size_mb", "parameters", "flops", "peak_memory_mb")
    assert sizes.missing == {each: f"{each} is not available for {where}." for each in names}
    assert sizes.metrics == {}


@pytest.mark.slow
def test_a_command_is_profiled_and_ended(tmp_path, data):
    body = "print(json.dumps(max(range(3), key=row['x'].__getitem__)))"
    result = isolated.run_unsandboxed(
        {"system": "command", "options": {"command": program(tmp_path, body), "data": str(data)}},
        settings=QUICK,
        data=data,
        limits=Limits(wall_s=60),
        workdir=tmp_path / "work",
        follow=(lambda *_: None, lambda: False),
    )
    assert (result["metrics"]["accuracy"]["value"], result["metrics"]["latency_p50_ms"]["n"]) == (1.0, 140)
    assert "model_size_mb" in [entry["metric"] for entry in result["missing"]]


def test_rows_of_different_sizes_are_rows_too(tmp_path):
    data = DataSet({"ids": Ragged.of([np.arange(2), np.arange(3)])}, None)
    assert rows.specs_of(data) == (InputSpec("ids", "int64", (1, None)),)
    assert rows.json_of({"ids": np.array([[1, 2]])}) == '{"ids": [1, 2]}'


def test_a_template_is_filled_with_json():
    template = '{"instances": [{"features": {{ x }}, "note": {{text}}}]}'
    assert json.loads(rows.filled(template, FEED)) == {"instances": [{"features": [1.0, 2.0, 3.5], "note": 'ä\n"b"'}]}
    with pytest.raises(Invalid, match=r"has \{\{ gone \}\}, but the rows have only x, text"):
        rows.filled("{{ gone }}", FEED)


def test_an_answer_is_found_at_its_path():
    answer = {"predictions": [{"score": 0.25}]}
    assert rows.at_path(answer, "predictions.0.score") == 0.25
    assert rows.at_path(answer, "") is answer
    for path in ("predictions.1", "predictions.x", "gone", "predictions.0.score.deep"):
        with pytest.raises(ModelFailed, match="has nothing at"):
            rows.at_path(answer, path)


@pytest.fixture
def server(desk):
    desk.answers["POST", "/base/predict"] = (200, {"predictions": [0.25]})
    desk.answers["POST", "/base/odd"] = (200, {"predictions": []})
    desk.answers["POST", "/base/broken"] = (503, {"error": "busy"})
    return desk


@pytest.fixture
def template(tmp_path):
    (tmp_path / "body.json").write_text('{"instances": [{{ x }}]}')
    return tmp_path / "body.json"


def test_any_body_goes_to_a_model_and_its_answer_comes_from_a_path(tmp_path, server, template, data):
    (tmp_path / "headers").write_text("Authorization: Bearer secret-of-the-test\n")
    runner = runner_of(
        "http-json",
        url=f"{server.server.url}/predict",
        template=str(template),
        answer="predictions.0",
        header_file=str(tmp_path / "headers"),
        data=str(data),
    )
    assert (runner.infer(FEED)[0].tolist(), runner.outputs) == ([0.25], ("answer",))
    method, path, headers, body = server.asked[-1]
    assert (method, path, json.loads(body)) == ("POST", "/base/predict", {"instances": [[1.0, 2.0, 3.5]]})
    assert headers["Authorization"] == "Bearer secret-of-the-test"
    assert "secret-of-the-test" not in json.dumps(runner.describe())
    assert runner.describe()["headers"] == ["Authorization", "Content-Type"]


@pytest.mark.parametrize(("path", "words"), [("odd", "has nothing at"), ("broken", "answered 503")])
def test_an_answer_of_another_form_fails(server, template, data, path, words):
    runner = runner_of(
        "http-json", url=f"{server.server.url}/{path}", template=str(template), answer="predictions.0", data=str(data)
    )
    with pytest.raises((ModelFailed, endpoint.EndpointFailed), match=words):
        runner.infer(FEED)


def test_addresses_and_templates_that_are_none_are_refused(tmp_path, template, data):
    with pytest.raises(Invalid, match="is no address"):
        runner_of("http-json", url="ftp://x", template=str(template), data=str(data))
    with pytest.raises(Invalid, match="cannot be read as text"):
        runner_of("http-json", url="http://127.0.0.1", template=str(tmp_path / "gone"), data=str(data))
    with pytest.raises(endpoint.EndpointFailed, match="does not answer"):
        runner_of("http-json", url="https://127.0.0.1:1", template=str(template), data=str(data)).infer(FEED)


class Service(grpc.GenericRpcHandler):
    """A model that doubles numbers and repeats texts, with raw or typed contents."""

    def __init__(self, *, is_raw):
        self.is_raw = is_raw

    def service(self, details):
        name = details.method.removeprefix(SERVICE)
        handler = {"ModelMetadata": self.metadata, "ModelInfer": self.infer}[name]
        read = message_class(f"{name}Request").FromString
        return grpc.unary_unary_rpc_method_handler(
            handler, request_deserializer=read, response_serializer=lambda message: message.SerializeToString()
        )

    def metadata(self, request, context):
        answer = message_class("ModelMetadataResponse")(name=request.name)
        if request.name == "silent":
            return answer
        if request.name != "double":
            context.abort(grpc.StatusCode.NOT_FOUND, f"no model {request.name}")
        for name, datatype in (("x", "FP32"), ("text", "BYTES")):
            answer.inputs.add(name=name, datatype=datatype, shape=[-1])
            answer.outputs.add(name=f"{name}_out", datatype=datatype, shape=[-1])
        return answer

    def infer(self, request, _context):
        answer = message_class("ModelInferResponse")(model_name=request.model_name)
        for tensor, raw in zip(request.inputs, request.raw_input_contents, strict=True):
            array = array_of(tensor, raw)
            doubled = array if tensor.datatype == "BYTES" else array * 2
            out = answer.outputs.add(name=f"{tensor.name}_out", datatype=tensor.datatype, shape=array.shape)
            if self.is_raw:
                answer.raw_output_contents.append(bytes_of(doubled))
            elif tensor.datatype == "BYTES":
                out.contents.bytes_contents.extend(text.encode() for text in doubled)
            else:
                out.contents.fp32_contents.extend(doubled.tolist())
        return answer


@pytest.fixture(params=[True, False])
def grpc_address(request):
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((Service(is_raw=request.param),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


def test_a_model_behind_grpc_is_asked(grpc_address):
    runner = runner_of("grpc", address=f"{grpc_address}/double")
    assert runner.inputs == (InputSpec("x", "float32", (None,)), InputSpec("text", "string", (None,)))
    feed = {"x": np.array([1.5, 2], dtype=np.float32), "text": np.array(["a", "ä"], dtype=object)}
    x, text = runner.infer(feed)
    assert (x.tolist(), text.tolist(), runner.outputs) == ([3, 4], ["a", "ä"], ("x_out", "text_out"))
    assert runner.describe()["engine"] == "Open Inference Protocol over gRPC"
    system = system_of({"system": "grpc", "options": {"address": f"{grpc_address}/double"}}, QUICK)
    system.ready()
    assert set(system.sizes(None).missing) == {"model_size_mb", "parameters", "flops", "peak_memory_mb"}


def test_a_model_that_grpc_does_not_have_is_named(grpc_address):
    with pytest.raises(endpoint.EndpointFailed, match="no model gone"):
        runner_of("grpc", address=f"{grpc_address}/gone")
    for address in ("127.0.0.1/x", "127.0.0.1:1", "127.0.0.1:1/"):
        with pytest.raises(Invalid, match="is no model; write it like"):
            runner_of("grpc", address=address)


def test_a_model_that_declares_no_inputs_is_refused(grpc_address):
    with pytest.raises(Invalid) as refusal:
        runner_of("grpc", address=f"{grpc_address}/silent")
    assert refusal.value.reason == f"{grpc_address}/silent does not declare the inputs of the model."
    assert (refusal.value.code, refusal.value.field) == ("model_inputs", "grpc")


@pytest.mark.parametrize("datatype", sorted(NAMES.values()))
def test_every_type_survives_the_way(datatype):
    dtype = next(name for name, known in NAMES.items() if known == datatype)
    values = np.array(["a", "ä"], dtype=object) if dtype == "string" else np.array([0, 1], dtype=dtype)
    tensor = message_class("InferTensor")(name="x", datatype=datatype, shape=[2])
    assert array_of(tensor, bytes_of(values)).tolist() == values.tolist()
    if datatype != "FP16":
        fields = {
            "BOOL": "bool_contents",
            "FP32": "fp32_contents",
            "FP64": "fp64_contents",
            "BYTES": "bytes_contents",
            "INT64": "int64_contents",
            "UINT64": "uint64_contents",
        }
        field = fields.get(datatype, "uint_contents" if datatype.startswith("U") else "int_contents")
        typed = [text.encode() for text in values] if dtype == "string" else values.tolist()
        getattr(tensor.contents, field).extend(typed)
        assert array_of(tensor, None).tolist() == values.tolist()
