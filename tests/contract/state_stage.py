"""The two homes that states can have, with real Terraform on top: the catalog, and a bucket in S3 as well."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from controlplane.adapters.aws.state_bucket import S3StateBucket, make_bucket
from controlplane.domain.workspace import StateHome
from tests.contract.runner_stage import RealStage

HOME = StateHome("states", "fleet", "us-east-1", path_style=True)
# Both choices of a test: the short form has the catalog; `test_runner_bucket` has the bucket's own moments.
BOTH = ["catalog", pytest.param("bucket", marks=pytest.mark.long)]


def client(endpoint: str) -> Any:
    return boto3.client(
        "s3", region_name=HOME.region, endpoint_url=endpoint, aws_access_key_id="x", aws_secret_access_key="x"
    )


@contextmanager
def a_bucket() -> Iterator[str]:
    """The endpoint of an S3 with an empty bucket for states."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    try:
        urllib.request.urlopen(f"{endpoint}/moto-api/reset", b"", timeout=30).close()  # one memory a process
        make_bucket(client(endpoint), HOME)
        yield endpoint
    finally:
        server.stop()


def stage_at(folder: Path, endpoint: str) -> RealStage:
    """Without an endpoint: states in the catalog alone."""
    return RealStage(folder, bucket=S3StateBucket(client(endpoint), HOME) if endpoint else None)


@contextmanager
def staged(folder: Path, endpoint: str) -> Iterator[RealStage]:
    stage = stage_at(folder, endpoint)
    try:
        yield stage
    finally:
        stage.close()


@contextmanager
def staged_in(home: str, folder: Path) -> Iterator[tuple[RealStage, str]]:
    """A stage for one of `BOTH`, and its endpoint."""
    if home == "catalog":
        with staged(folder, "") as stage:
            yield stage, ""
        return
    with a_bucket() as endpoint, staged(folder, endpoint) as stage:
        yield stage, endpoint
