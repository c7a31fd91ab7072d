"""Where artifacts are kept: in a folder that all processes share, or in a bucket of an object storage (S3)."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from config import env

OPTIONS = {"endpoint", "region"}
HOW = "Write WEIGHBRIDGE_ARTIFACTS like s3://bucket/folder?endpoint=https://minio.example:9000&region=eu-west-1."


def storage_of(url: str, *, folder: Path) -> dict[str, Any]:
    """The entry of Django's STORAGES for the address of a bucket; for the folder without an address.

    Raises MissingVariable for an address that is none. Without a key, boto3 looks for the role of the machine.
    """
    if not url:
        return {"BACKEND": "config.artifact_storage.folder.ArtifactFolder", "OPTIONS": {"location": folder}}
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    endpoint = urlsplit(options.get("endpoint", "https://of-amazon"))
    if endpoint.scheme not in {"http", "https"} or not endpoint.netloc:
        raise env.MissingVariable(HOW)
    if parts.scheme != "s3" or not parts.netloc or "@" in parts.netloc or options.keys() - OPTIONS:
        raise env.MissingVariable(HOW)
    return {
        "BACKEND": "config.artifact_storage.bucket.ArtifactBucket",
        "OPTIONS": {
            "bucket_name": parts.netloc,
            "location": parts.path.strip("/"),
            "endpoint_url": options.get("endpoint"),
            "region_name": options.get("region"),
            "verify": env.text("AWS_CA_BUNDLE", "") or True,  # botocore refuses an empty variable, as Compose sets it
            "access_key": env.text("AWS_ACCESS_KEY_ID", "") or None,
            "secret_key": env.text("AWS_SECRET_ACCESS_KEY", "") or None,
        },
    }
