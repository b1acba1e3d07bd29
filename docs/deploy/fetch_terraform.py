"""Fetches the Terraform of an image: `python fetch_terraform.py FOLDER`, by version and digest.

TERRAFORM_VERSION and TERRAFORM_SHA256 are build arguments; what has another digest is not written.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import urllib.request
import zipfile
from pathlib import Path

_FROM = "https://releases.hashicorp.com/terraform"
_SECONDS = 120


def fetch(version: str, sha256: str, folder: Path, releases: str = _FROM) -> Path:
    address = f"{releases}/{version}/terraform_{version}_linux_amd64.zip"
    with urllib.request.urlopen(address, timeout=_SECONDS) as answer:  # noqa: S310 - ours, and looked at below
        data = answer.read()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise SystemExit(f"{address} has the digest {found}, not {sha256 or 'one in TERRAFORM_SHA256'}")
    program = folder / "terraform"
    program.write_bytes(zipfile.ZipFile(io.BytesIO(data)).read("terraform"))
    program.chmod(0o755)
    return program


if __name__ == "__main__":
    fetch(os.environ["TERRAFORM_VERSION"], os.environ.get("TERRAFORM_SHA256", ""), Path(sys.argv[1]))
