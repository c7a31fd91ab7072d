"""What one process of the generator is asked to do."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.addresses import PinnedAddress
from weighbridge.load.expectation import Expectation
from weighbridge.load.generator.connection import Connection
from weighbridge.load.generator.http2.connection import Http2Connection
from weighbridge.load.generator.http2.request import Http2Request
from weighbridge.load.generator.pool_size import PoolSize
from weighbridge.load.plan import Protocol

AnyConnection = Connection | Http2Connection


@dataclasses.dataclass(frozen=True, kw_only=True)
class EngineJob:
    """The requests of one process: request n of this engine is `first + n x step` of the plan, due at `due_ns[n]`.

    `checked` says whose bodies are checked. `ca_file` has the certificates to trust, by default those of the system.
    """

    target: PinnedAddress
    messages: Sequence[bytes] | Sequence[Http2Request]
    due_ns: NDArray[np.int64]
    first: int
    step: int
    checked: NDArray[np.bool_]
    pool: PoolSize
    timeout_s: float
    answer_bytes: int
    expect: Expectation
    ca_file: str = ""
    protocol: Protocol = Protocol.HTTP_1
