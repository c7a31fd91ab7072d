"""The keys whose signed results a policy accepts as attested, and the share of them that is measured again."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from weighbridge.core.attestation import key_id
from weighbridge.core.documents import Reader, check_unique
from weighbridge.core.errors import Invalid

KEYS_MAX = 100
ONE = Decimal(1)


class SignerKind(StrEnum):
    """Who holds a key."""

    CI = "ci"
    CLUSTER = "cluster"
    DEVICE = "device"
    VENDOR = "vendor"


@dataclass(frozen=True, kw_only=True)
class TrustedKey:
    """A key by its name: the public key in PEM, who holds it, and the teams whose results it may sign (empty: all)."""

    name: str
    kind: SignerKind
    public_key: str
    teams: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The digest of the key."""
        return key_id(self.public_key)


@dataclass(frozen=True)
class Trust:
    """The trusted keys, and the share of attested results (0 to 1) that are measured again where that is possible."""

    keys: tuple[TrustedKey, ...] = ()
    audit_share: Decimal = Decimal(0)

    def keys_for(self, team: str) -> tuple[TrustedKey, ...]:
        """The keys that may sign results for a team."""
        return tuple(key for key in self.keys if not key.teams or team in key.teams)

    def chance_found(self, results: int) -> Decimal:
        """The chance (0 to 1) that at least one of so many inflated results is measured again."""
        return ONE - (ONE - self.audit_share) ** results

    @property
    def fields(self) -> dict[str, str]:
        """The section for differences between versions."""
        listed = ", ".join(f"{key.name} ({key.kind}, {key.id[7:19]})" for key in self.keys)
        return {"keys": listed or "none", "audit_share": str(self.audit_share)}


def read_trust(reader: Reader) -> Trust:
    """Read the mapping `trust`; no key is trusted without it. Raises Invalid for what is no Ed25519 key."""
    keys = reader.items("keys", _key)
    if len(keys) > KEYS_MAX:
        raise reader.fault("keys", f"lists more than {KEYS_MAX} keys.")
    check_unique(tuple(key.name for key in keys), path="trust.keys", name="name")
    check_unique(tuple(key.id for key in keys), path="trust.keys", name="public_key")
    share = reader.number("audit_share") if reader.asks("audit_share") else Decimal(0)
    if not 0 <= share <= 1:
        raise reader.fault("audit_share", "must be a share from 0 to 1; 0.1 measures one result in ten again.")
    reader.close()
    return Trust(keys, share)


def _key(reader: Reader) -> TrustedKey:
    key = TrustedKey(
        name=reader.text("name"),
        kind=reader.choice("kind", SignerKind),
        public_key=reader.text("public_key"),
        teams=reader.words("teams"),
    )
    try:
        key.id  # noqa: B018 -- reads the key
    except Invalid as refusal:
        raise reader.fault("public_key", f"is not usable. {refusal.reason}") from refusal
    return key
