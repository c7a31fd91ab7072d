"""The people: each a thread that uses the pages and the API of the running installation, as their role lets them."""

import contextlib
import hashlib
import http.client
import json
import random
import threading
import time
import urllib.parse
import uuid
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from governance.people.domain.roles import Role
from tests.promises.writers.journals import Journal
from tests.promises.writers.scene import Member

PATIENCE_S = 120.0
PAGES = ("/", "/requests/", "/models/", "/budgets/", "/cycles/")
CSRF = "x" * 32
STATED = {"training_gpu_hours": "320", "training_cost_usd": "1200", "inference_cost_1y_usd": "1800"}
LATER = ("total_cost_1y_usd", "3000")
TEXT = "The team answers for it; the old model is back within five minutes."
MORE = {"gpu_h": Decimal("320.00"), "USD": Decimal("3000.25")}


class Person(threading.Thread):
    """Somebody who acts until `over`. `file_bytes` is the size of the first file, the later ones have 100 kB."""

    def __init__(self, member: Member, *, port: int, journal: Journal, file_bytes: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.member, self.port, self.journal = member, port, journal
        self.over = threading.Event()
        self.rng = random.Random(seed)
        self.file_bytes, self.version, self.quarter = file_bytes, "", ""
        self.teams: list[str] = []
        self.pause_s: tuple[float, float] = (0.2, 1.0)
        self.refs: list[str] = []
        self.drafts: list[str] = []
        self._count = 0
        self.error = ""

    def run(self) -> None:
        """One round after the other, with the pauses of a person."""
        rounds = {
            Role.REQUESTER: self._request,
            Role.REVIEWER: lambda: self._vote("technical", quorum=2),
            Role.PLATFORM_LEAD: lambda: self._vote("gpu-budget", quorum=1),
            Role.FINANCE: self._allocate,
        }
        self.over.wait(self.rng.uniform(0.0, self.pause_s[1]))
        try:
            while not self.over.is_set():
                rounds[self.member.role]()
                self.look()
                self.over.wait(self.rng.uniform(*self.pause_s))
        except Exception as error:  # noqa: BLE001 -- the trial asks at its end
            self.error = f"{self.member.name}: {error!r}"

    def look(self) -> None:
        """Read one page."""
        known = [f"/requests/{ref}/" for ref in self.refs[-3:]]
        self.ask("read", "GET", self.rng.choice([*PAGES, *known]))

    def _request(self) -> None:
        """File a request and bring it as far as the budget lets it."""
        if not self.version or self.rng.random() < 0.2:
            self._upload()
        if self.drafts and self.rng.random() < 0.5:
            return self._ask_for_review(self.drafts[0])
        self._count += 1
        title = f"{self.member.name} {self._count}"
        values = [{"name": name, "value": value, "basis": "declared"} for name, value in STATED.items()]
        filing = {
            "title": title,
            "purpose": f"Purpose {title}",
            "environment": "prod",
            "business_case": "Raises conversion of the search page by 1.5 %.",
            "model_version": self.version,
            "metric_values": values,
        }
        status, answer = self.post("file", "/api/v1/requests/", filing)
        if status != 201:
            return None
        ref = answer["ref"]
        self.refs.append(ref)
        self.journal.note("file", (ref, title))
        stated = {"name": LATER[0], "value": LATER[1], "basis": "declared"}
        if self.post("state", f"/api/v1/requests/{ref}/metric-values/", stated)[0] == 201:
            self.journal.note("state", ref)
        if self.post("submit", f"/api/v1/requests/{ref}/submit/", {})[0] == 200:
            self.journal.note("submit", ref)
        for item, given in (("owner-and-rollback", {"text": TEXT}), ("rollback-rehearsed", {"is_attested": True})):
            if self.post("answer", f"/api/v1/requests/{ref}/checklist/{item}/", given)[0] == 200:
                self.journal.note("answer", (ref, item))
        self._comment(ref)
        self.drafts.append(ref)
        return self._ask_for_review(ref)

    def _ask_for_review(self, ref: str) -> None:
        """Reserve the budget; refused while the team has none left."""
        if self.post("review", f"/api/v1/requests/{ref}/review/", {})[0] == 200:
            self.drafts.remove(ref)
            self.journal.note("review", ref)
            self.journal.wait_for_vote("technical", ref)

    def _comment(self, ref: str) -> None:
        """Comment, by the form of the page or by the API."""
        text = f"Comment {uuid.uuid4().hex}"
        if self.rng.random() < 0.5:
            form = {"text": text, "about": "", "csrfmiddlewaretoken": CSRF}
            path = f"/discussions/request/{ref}/threads/"
            status, _ = self.ask("comment", "POST", path, body=[urllib.parse.urlencode(form).encode()], kind="form")
        else:
            status, _ = self.post("comment", f"/api/v1/discussions/request/{ref}/", {"text": text})
        if status in {201, 302}:
            self.journal.note("comment", (text, self.member.name))

    def _vote(self, stage: str, *, quorum: int) -> None:
        ref = self.journal.to_vote(stage, self.rng)
        if not ref:
            return
        self._comment(ref)
        vote = {"stage": stage, "choice": "approve", "rationale": "Fast and cheap."}
        status, _ = self.post("vote", f"/api/v1/requests/{ref}/votes/", vote)
        if status == 201:
            self.journal.note("vote", (ref, stage, self.member.name))
            if self.journal.has_voted(stage, ref, quorum=quorum) and stage == "technical":
                self.journal.wait_for_vote("gpu-budget", ref)

    def _allocate(self) -> None:
        """Allocate more to a team, and send the same again under its key, as after a lost answer."""
        team, unit = self.rng.choice(self.teams), self.rng.choice(sorted(MORE))
        given = {"team": team, "quarter": self.quarter, "unit": unit, "amount": str(MORE[unit]), "reason": TEXT}
        key = uuid.uuid4().hex
        first = self.post("allocate", "/api/v1/budgets/", given, key=key)
        again = self.post("allocate again", "/api/v1/budgets/", given, key=key)
        if 201 in {first[0], again[0]}:
            self.journal.note("allocate", (team, unit, str(MORE[unit])))
        if 202 in {first[0], again[0]}:
            self.journal.note("propose", self.member.name)

    def _upload(self) -> None:
        """Register a new file of one's team."""
        size, self.file_bytes = self.file_bytes, 100_000
        self._count += 1
        head = safetensors_head(size, nonce=uuid.uuid4().hex)
        content = [head, *zeros(size)]
        digest = hashlib.sha256()
        for part in content:
            digest.update(part)
        fields = {
            "team": self.member.team,
            "slug": self.member.name.replace(".", "-"),
            "name": self.member.name,
            "version": f"{self._count}.0.0",
            "tier": "T2",
            "task": "classification",
            "owner": self.member.name,
        }
        parts = multipart(fields, name="model.safetensors", content=content)
        status, answer = self.ask("upload", "POST", "/api/v1/models/", body=parts, kind="multipart")
        if status == 201:
            self.version = f"sha256:{digest.hexdigest()}"
            self.journal.note("upload", self.version)
            if self.version not in json.dumps(answer):
                raise AssertionError(f"another digest than {self.version}: {answer}")

    def post(self, what: str, path: str, body: dict[str, Any], *, key: str = "") -> tuple[int, Any]:
        """A POST to the API: the status and the answer."""
        return self.ask(what, "POST", path, body=[json.dumps(body).encode()], kind="json", key=key)

    def ask(
        self, what: str, method: str, path: str, *, body: Sequence[bytes] = (), kind: str = "", key: str = ""
    ) -> tuple[int, Any]:
        """One call, noted in the journal as `what`: pages and forms by the session, everything else by the token."""
        headers = {"Connection": "close", "Content-Length": str(sum(map(len, body)))} | _KINDS[kind]
        if path.startswith("/api/"):
            headers["Authorization"] = f"Token {self.member.token}"
        else:
            headers["Cookie"] = f"sessionid={self.member.session}; csrftoken={CSRF}"
        if key:
            headers["Idempotency-Key"] = key
        began_s, status, text = time.monotonic(), 0, ""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # as it is refused before it is read
                connection.request(method, path, iter(body) if body else None, headers)
            answer = connection.getresponse()
            status, text = answer.status, answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            status, text = 0, repr(error)
        finally:
            connection.close()
        self.journal.hear(what, status, text=f"{method} {path} {text}", took_ms=(time.monotonic() - began_s) * 1000)
        return status, json.loads(text) if path.startswith("/api/") and text.startswith(("{", "[")) else {}


BOUNDARY = "writers-boundary"
_BLOCK = bytes(1_000_000)
_KINDS = {
    "": {},
    "json": {"Content-Type": "application/json"},
    "form": {"Content-Type": "application/x-www-form-urlencoded"},
    "multipart": {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
}


def multipart(fields: dict[str, str], *, name: str, content: Iterable[bytes]) -> list[bytes]:
    """The parts of a form with one file."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in fields.items()
    ]
    disposition = f'Content-Disposition: form-data; name="file"; filename="{name}"'
    opened = f"--{BOUNDARY}\r\n{disposition}\r\nContent-Type: application/octet-stream\r\n\r\n".encode()
    return [*parts, opened, *content, f"\r\n--{BOUNDARY}--\r\n".encode()]


def zeros(size: int) -> list[bytes]:
    """So many bytes in parts that share their memory, because two hundred people upload at once."""
    return [_BLOCK] * (size // len(_BLOCK)) + [bytes(size % len(_BLOCK))]


def safetensors_head(size: int, *, nonce: str) -> bytes:
    """What stands before `size` bytes of one tensor; the nonce makes the file another one."""
    tensor = {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}
    text = json.dumps({"__metadata__": {"nonce": nonce}, "w": tensor}).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text
