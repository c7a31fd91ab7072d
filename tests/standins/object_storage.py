"""An object storage with the S3 API on this machine, with one bucket."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

BUCKET, REGION = "kept-artifacts", "eu-west-1"
KEY = {"aws_access_key_id": "stand-in", "aws_secret_access_key": "stand-in-secret"}


@dataclass(frozen=True)
class ObjectStorage:
    """A running server; `address` is that of the folder `models` in its bucket, as the application takes it."""

    server: ThreadedMotoServer
    endpoint: str

    @property
    def address(self) -> str:
        return f"s3://{BUCKET}/models?endpoint={self.endpoint}&region={REGION}"

    @property
    def client(self) -> Any:
        """What an operator would look into the bucket with."""
        return boto3.client("s3", endpoint_url=self.endpoint, region_name=REGION, **KEY)

    def contents(self) -> dict[str, bytes]:
        """Every object of the bucket by its key."""
        listed = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {each["Key"]: self.client.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in listed}


@contextmanager
def object_storage() -> Iterator[ObjectStorage]:
    """A server that ends with the block."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        storage = ObjectStorage(server, f"http://{host}:{port}")
        # The stand-in keeps its buckets as long as this process lives, also those of a server that ended.
        with suppress(storage.client.exceptions.BucketAlreadyOwnedByYou):
            place = {"LocationConstraint": REGION}
            storage.client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        yield storage
    finally:
        server.stop()
