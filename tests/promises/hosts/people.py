"""People who file requests over HTTPS, and who ask again under the same key when no answer comes."""

import http.client
import json
import ssl
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.promises.hosts.services import NAME

PATIENCE_S, PAUSE_S = 40.0, 1.0
DIED = "no answer"


class People:
    """Two people who file and submit, and one who votes on what waits; all stop while `is_paused`."""

    def __init__(self, *, address: str, certificate: Path, tokens: dict[str, str], version: str) -> None:
        self.address, self.tokens, self.version = address, tokens, version
        self.trust = ssl.create_default_context(cafile=str(certificate))
        self.answers: Counter[tuple[str, int | str]] = Counter()
        self.phase, self.to_vote = "", list[str]()
        self.accepted, self.voted, self.refusals = list[str](), list[str](), list[str]()
        self.latest: dict[str, str] = {}
        self.is_paused, self.is_over = threading.Event(), threading.Event()
        self.busy: Counter[int] = Counter()
        self.threads = [threading.Thread(target=self._live, args=(n,), daemon=True) for n in range(3)]
        self.is_paused.set()

    def begin(self) -> None:
        """Start to live, paused."""
        for thread in self.threads:
            thread.start()

    def is_content(self) -> bool:
        """Whether everybody has been told that what they asked for is done."""
        return not self.busy.total()

    def _live(self, number: int) -> None:
        asked = 0
        while not self.is_over.is_set():
            if self.is_paused.is_set():
                time.sleep(0.05)
                continue
            self.busy[number] = 1
            asked += 1
            if number:
                self._file(f"{number}-{asked}")
            elif self.to_vote:
                self._vote(self.to_vote.pop())
            self.busy[number] = 0
            time.sleep(PAUSE_S)

    def _file(self, name: str) -> None:
        filing = {
            "title": f"Visual search {name}",
            "purpose": f"Purpose {name}",
            "environment": "prod",
            "business_case": "Raises conversion of the search page by 1.5 %.",
            "model_version": self.version,
            "metric_values": [{"name": "total_cost_1y_usd", "value": "30000", "basis": "declared"}],
        }
        ref = self._insist("author", "/api/v1/requests/", filing, f"file-{name}").get("ref", "")
        self._insist("author", f"/api/v1/requests/{ref}/submit/", {}, f"submit-{name}")
        self.accepted.append(ref)

    def _vote(self, ref: str) -> None:
        vote = {"stage": "gpu-budget", "choice": "approve", "rationale": "Fast and cheap."}
        self._insist("approver", f"/api/v1/requests/{ref}/votes/", vote, f"vote-{ref}")
        self.voted.append(ref)

    def _insist(self, person: str, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        """Ask until it is done; a key makes repeats harmless."""
        while True:
            status, answer = self.call("POST", path, person=person, body=body, key=key)
            self.answers[self.phase, status] += 1
            self.latest[key] = f"{status} {json.dumps(answer)[:300]}"
            if isinstance(status, int) and status < 300:
                del self.latest[key]
                return answer
            if isinstance(status, int) and status < 500 and status != 409:
                self.refusals.append(f"{path} was answered {status}: {answer}")
                return answer
            time.sleep(0.3)

    def call(
        self, method: str, path: str, *, person: str, body: dict[str, Any] | None = None, key: str = ""
    ) -> tuple[int | str, dict[str, Any]]:
        """Ask the installation once, through the proxy. The status, or DIED where no answer came."""
        headers = {"Host": NAME, "Authorization": f"Token {self.tokens[person]}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        connection = http.client.HTTPSConnection(self.address, timeout=PATIENCE_S, context=self.trust)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException):
            return DIED, {}
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, {"text": text[:500]}
