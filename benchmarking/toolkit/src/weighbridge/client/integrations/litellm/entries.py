"""What an entry of `model_list` calls, against the subject whose permission it uses.

An entry of a managed model has its subject in `model_info.weighbridge_subject`. The digest follows from the subject, so
that a permission cannot be copied to another model, and the entry may call nothing else than the subject. An entry with
a digest alone stands for a model that we run ourselves: it must go to one of our own hosts.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from weighbridge.core.canonical import digest_of
from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.subjects.kinds import parse_subject
from weighbridge.subjects.managed import MANAGED
from weighbridge.subjects.parameters import parameters_in
from weighbridge.subjects.subject import Subject

DIGEST, SUBJECT = "weighbridge_digest", "weighbridge_subject"
ANYTHING = "*"
BASES = ("api_base", "base_url")
REGIONS = frozenset({"aws_region_name", "region_name", "vertex_location"})
HARMLESS = frozenset(
    {
        *("model", "custom_llm_provider", "api_key", "api_version", "organization", "vertex_project"),
        *("vertex_credentials", "aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_role_name"),
        *("rpm", "tpm", "max_parallel_requests", "timeout", "stream_timeout", "max_retries", "weight", "order", "tags"),
        *("input_cost_per_token", "output_cost_per_token", "max_budget", "budget_duration", "cooldown_time"),
    }
)
"""The parameters of an entry that change neither the model nor its answers."""
_ADDRESS = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/%-]*)?")


@dataclass(frozen=True, kw_only=True)
class Hosts:
    """The hosts to which entries may go: where our own models run, and where providers serve other than by default."""

    own: Collection[str] = ()
    providers: Collection[str] = ()


@dataclass(frozen=True)
class GatewayEntry:
    """An entry of `model_list`: its name, the digest to ask the gate about, and why it is left out unasked ("")."""

    name: str
    digest: str = ""
    why_not: str = ""


def read_entry(row: object, *, place: int, hosts: Hosts) -> GatewayEntry:
    """Return the entry; one that cannot be judged, or that calls something else than its subject, says why."""
    match row:
        case {
            "model_name": str(name),
            "litellm_params": {"model": str(model)} as params,
            "model_info": Mapping() as information,
        } if isinstance(information.get(DIGEST, ""), str) and (DIGEST in information or SUBJECT in information):
            if ANYTHING in name or ANYTHING in model:
                return GatewayEntry(name, why_not="it has a wildcard, which stands for models that nobody named.")
            return _judged(name, params, information, hosts)
        case {"model_name": str(name)}:
            return GatewayEntry(name, why_not=f"it names no {DIGEST} and no {SUBJECT} in model_info.")
    return GatewayEntry(f"model_list[{place}]", why_not=f"it names no {DIGEST} and no {SUBJECT} in model_info.")


def _judged(name: str, params: Mapping[str, Any], information: Mapping[str, Any], hosts: Hosts) -> GatewayEntry:
    digest = str(information.get(DIGEST, ""))
    if SUBJECT not in information:
        return GatewayEntry(name, digest, _why_not_own(params, hosts))
    try:
        subject = parse_subject(information[SUBJECT])
    except Invalid as refusal:
        return GatewayEntry(name, why_not=f"its {SUBJECT} is invalid. {refusal.reason}")
    if digest not in ("", subject.digest):
        return GatewayEntry(
            name, why_not=f"its {DIGEST} is not the digest of its {SUBJECT}, which is {subject.digest}."
        )
    is_managed = subject.kind == MANAGED.kind
    why_not = _why_not_managed(subject, params, hosts) if is_managed else _why_not_own(params, hosts)
    return GatewayEntry(name, subject.digest, why_not)


def _why_not_own(params: Mapping[str, Any], hosts: Hosts) -> str:
    """Why an entry of a model that we run cannot be allowed: it must go to one of our hosts and nowhere else."""
    bases = [params[key] for key in BASES if key in params]
    if not bases:
        return f"it has no api_base. A managed model needs {SUBJECT}; a model of our own needs the address of its host."
    strange = next((base for base in bases if host_of(base) not in hosts.own), None)
    return "" if strange is None else f"it goes to {strange}, which is none of the hosts given with --own-host."


def _why_not_managed(subject: Subject, params: Mapping[str, Any], hosts: Hosts) -> str:
    """Why the entry calls something else than the managed model of its subject; "" if it calls exactly that."""
    document = subject.document
    if params["model"] not in accepted_models(subject):
        return f"it calls {params['model']}; its subject is {' or '.join(accepted_models(subject))}."
    if params.get("custom_llm_provider", document["provider"]) != document["provider"]:
        return f"custom_llm_provider is {params['custom_llm_provider']}; its subject is of {document['provider']}."
    for key in BASES:
        if key in params and host_of(params[key]) not in hosts.providers:
            return f"it goes to {params[key]}, which is none of the hosts given with --provider-host."
    authorized: Mapping[str, object] = document["parameters"]
    for key, value in params.items():
        if key in REGIONS and value != document["region"]:
            return f"{key} is {value}; its subject is of the region {document['region'] or 'that is not stated'}."
        if key in {*HARMLESS, *BASES, *REGIONS}:
            continue
        if key not in authorized:
            return f"it sets {key}, which is no parameter of its subject."
        if not _is_same(value, authorized[key]):
            return f"it sets {key} to another value than its subject."
    return ""


def _is_same(value: object, authorized: object) -> bool:
    try:
        given = parameters_in(Reader({"given": {"value": value}}), "given")["value"]
    except Invalid:
        return False
    return digest_of(given) == digest_of(authorized)


def accepted_models(subject: Subject) -> tuple[str, ...]:
    """The model strings that call exactly this managed model: with its snapshot, unless the name has it."""
    document = subject.document
    name, snapshot = f"{document['provider']}/{document['model']}", str(document["snapshot"])
    if not snapshot or snapshot in name:
        return (name,)
    dense = snapshot.replace("-", "")
    return tuple(dict.fromkeys(f"{name}{sign}{text}" for sign in "-@" for text in (snapshot, dense)))


def host_of(address: object) -> str:
    """The host of an address in lower case; "" for anything but a plain address, like a name of a variable."""
    match = _ADDRESS.fullmatch(address) if isinstance(address, str) else None
    return match[1].lower() if match else ""
