"""Five gates over one server, each asked as its users ask it."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from weighbridge.client.feed.document import read_feed
from weighbridge.client.feed.keys import read_public_keys
from weighbridge.client.feed.mirror import FeedMirror
from weighbridge.client.feed.pulling import pull
from weighbridge.client.feed.summaries import read_summary
from weighbridge.client.feed.verdicts import GateVerdict
from weighbridge.client.gate import ask_feed, ask_server
from weighbridge.client.integrations.admission.review import ANNOTATION, reviewed
from weighbridge.client.integrations.admission.server import AdmissionServer
from weighbridge.client.integrations.litellm.allow_list import allowed_config
from weighbridge.client.integrations.litellm.entries import Hosts
from weighbridge.client.server import PlatformServer

OURS = {"model": "openai/x", "api_base": "https://gpu.test/v1"}
Asked = tuple[GateVerdict, tuple[int, str]]
"""An answer, and the size and the root of the head that it was given under."""


@dataclass
class Gates:
    """A server, two mirrors that are brought up to date apart from each other, and the gates over them."""

    server: PlatformServer
    folder: Path
    now: Callable[[], datetime]
    ports: dict[str, int]

    @property
    def key(self) -> Path:
        return self.folder / "key.pem"

    def pull(self, name: str) -> None:
        pull(self.folder / name, server=self.server, keys=read_public_keys(self.key))

    def head(self, name: str) -> tuple[int, str]:
        head = read_feed(self.folder / name, keys=read_public_keys(self.key)).head
        return head.size, head.root

    def api(self, digest: str, environment: str) -> Asked:
        found = self.server.get("/api/v1/gate/", subject=digest, env=environment)
        head = read_summary(found["summary"], keys=read_public_keys(self.key)).head
        verdict = {"allow": GateVerdict.ALLOWED, "deny": GateVerdict.REFUSED}[found["answer"]]
        return verdict, (head.size, head.root)

    def online(self, digest: str, environment: str, head: tuple[int, str]) -> Asked:
        keys = read_public_keys(self.key)
        reply = ask_server(self.server, digest=digest, environment=environment, keys=keys, now=self.now)
        return reply.answer, head

    def offline(self, digest: str, environment: str) -> Asked:
        reply = ask_feed(
            self.folder / "one.json", public_key=self.key, digest=digest, environment=environment, now=self.now()
        )
        return reply.answer, self.head("one.json")

    def litellm(self, digest: str, environment: str) -> Asked:
        mirror = FeedMirror(self.folder / "one.json", self.key, self.now)
        row = {"model_name": "m", "litellm_params": OURS, "model_info": {"weighbridge_digest": digest}}
        config, _, (reply,) = allowed_config(
            {"model_list": [row]},
            ask=lambda asked: mirror.answer(digest=asked, environment=environment),
            hosts=Hosts(own=("gpu.test",)),
        )
        assert (config["model_list"] == [row]) is reply.is_allowed
        return reply.answer, self.head("one.json")

    def admission(self, digest: str, environment: str) -> Asked:
        document = {"metadata": {"annotations": {ANNOTATION: digest}}}
        request = {"uid": "u", "operation": "CREATE", "object": document}
        review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[environment])
        connection.request("POST", "/", json.dumps(review))
        response = json.loads(connection.getresponse().read())["response"]
        connection.close()
        if response["allowed"]:
            return GateVerdict.ALLOWED, self.head("two.json")
        is_unclear = GateVerdict.UNKNOWN.value in response["status"]["message"]
        return GateVerdict.UNKNOWN if is_unclear else GateVerdict.REFUSED, self.head("two.json")


@contextmanager
def gates_of(
    server: PlatformServer, folder: Path, now: Callable[[], datetime], environments: tuple[str, ...]
) -> Iterator[Gates]:
    """The gates, with a webhook for each environment; `folder` has the public key in `key.pem`."""
    mirror = FeedMirror(folder / "two.json", folder / "key.pem", now)
    servers: dict[str, AdmissionServer] = {}
    for environment in environments:

        def review(document: dict[str, object], environment: str = environment) -> dict[str, object]:
            return reviewed(
                document, ask=lambda digest: mirror.answer(digest=digest, environment=environment), needs_images=False
            )

        servers[environment] = AdmissionServer(("127.0.0.1", 0), review, tls=None)
    threads = [threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.01}) for each in servers.values()]
    for thread in threads:
        thread.start()
    try:
        yield Gates(server, folder, now, {name: each.server_port for name, each in servers.items()})
    finally:
        for each in servers.values():
            each.shutdown()
            each.server_close()
        for thread in threads:
            thread.join()
