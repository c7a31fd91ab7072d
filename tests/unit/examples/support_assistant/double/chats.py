"""A client of the double that hides nothing: raw bytes in, status, headers, body and events out."""

import http.client
import json
from dataclasses import dataclass
from typing import Any

CHAT = "/v1/chat/completions"
USAGE = {"include_usage": True}


@dataclass
class Answered:
    """One answer; `is_cut` when the connection ended before the body did."""

    status: int
    headers: dict[str, str]
    body: bytes
    is_cut: bool

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        """The data of events; `[DONE]` as it stands."""
        lines = self.body.decode().replace("\r\n", "\n").split("\n\n")
        found = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
        return [each if each == "[DONE]" else json.loads(each) for each in found]

    @property
    def chunks(self) -> list[dict[str, Any]]:
        return [each for each in self.events if each != "[DONE]"]

    def joined(self, key: str = "content") -> str:
        deltas = [choice["delta"] for each in self.chunks for choice in each["choices"]]
        return "".join(delta.get(key) or "" for delta in deltas)

    @property
    def finish(self) -> list[str]:
        reasons = [choice["finish_reason"] for each in self.chunks for choice in each["choices"]]
        return [each for each in reasons if each]

    @property
    def usage(self) -> dict[str, Any] | None:
        found = [each["usage"] for each in self.chunks if each.get("usage")]
        return found[-1] if found else None


def chat(double, text: str, *, timeout: float = 30.0, **fields: Any) -> Answered:
    """Ask one question; a stream unless told otherwise."""
    request = {"model": "any", "messages": [{"role": "user", "content": text}], "stream": True, **fields}
    return post(double, json.dumps(request).encode(), timeout=timeout)


def post(double, body: bytes, *, path: str = CHAT, timeout: float = 30.0) -> Answered:
    connection = http.client.HTTPConnection("127.0.0.1", double.port, timeout=timeout)
    try:
        connection.request("POST", path, body)
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        try:
            return Answered(response.status, headers, response.read(), is_cut=False)
        except http.client.IncompleteRead as cut:
            return Answered(response.status, headers, cut.partial, is_cut=True)
    finally:
        connection.close()
