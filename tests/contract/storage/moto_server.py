"""A server that speaks S3, in this process: moto's."""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from moto.server import ThreadedMotoServer

from rushes.adapters.storage.s3 import S3Keys, S3Place

KEYS = S3Keys("test-key", "test-secret")


@contextmanager
def s3_server() -> Iterator[str]:
    """Its address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def new_place(url: str) -> S3Place:
    """A bucket that isn't there yet."""
    return S3Place(bucket=f"rushes-{uuid.uuid4().hex[:12]}", endpoint=url, keys=KEYS)


def official_client(place: S3Place):
    """Amazon's own client, for the same bucket."""
    assert place.keys is not None
    return boto3.client(
        "s3",
        endpoint_url=place.endpoint,
        region_name=place.region,
        aws_access_key_id=place.keys.access_key_id,
        aws_secret_access_key=place.keys.secret_access_key,
    )
