"""With which Terraform a look is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from controlplane.adapters.terraform.discovery import Installation, Terraform, bundled
from controlplane.adapters.terraform.looks.hands import Binary, Hand, Resident


@dataclass(frozen=True)
class Bench:
    """What one look needs: Terraform, how it is run, and with which credentials."""

    installation: Installation
    hand: Callable[[], Hand]
    environment: Callable[[], Mapping[str, str]]


def bench(
    installation: Installation,
    environment: Callable[[], Mapping[str, str]],
    library: Callable[[], Terraform | None] = bundled,
) -> Bench:
    """The resident library, where it is installed and reads what the binary writes; else the binary."""
    terraform, found = installation.terraform, library()
    if found is not None and found.product == terraform.product and _number(found) >= _number(terraform):
        return Bench(replace(installation, terraform=found), Resident, environment)
    return Bench(installation, lambda: Binary(terraform.command), environment)


def _number(terraform: Terraform) -> tuple[int, ...]:
    return tuple(int(part) for part in terraform.version.split("-")[0].split(".")[:2])
