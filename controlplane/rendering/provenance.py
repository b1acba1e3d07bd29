"""Where a rendering comes from, kept in its folder: by it a hand-edited file is found before a plan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controlplane.domain.workspace import Rendering, Template
from controlplane.rendering.structure import LOCK_FILE, OVERRIDE_FILE, digest_of

PROVENANCE_FILE = "controlplane.json"
# What Terraform or OpenTofu would read from a folder; anything else may lie there.
_READ_BY_TERRAFORM = (".tf", ".tf.json", ".tofu", ".tofu.json", ".tfvars", ".tfvars.json")


@dataclass(frozen=True)
class HandEdit:
    """A file that is not as it was rendered: `changed`, `missing` or `added`."""

    path: str
    what: str


def seal(template: Template, own: Mapping[str, str], workspace: str) -> Rendering:
    """A template and a workspace's own files as one rendering, with its provenance."""
    own_digests = {path: digest_of(text) for path, text in own.items()}
    digests = {**template.digests, **own_digests}
    provenance = {
        "workspace": workspace,
        "blueprint": template.blueprint,
        "template_version": template.version,
        "input_digest": digest_of(json.dumps([workspace, own_digests], sort_keys=True)),
        "files": digests,
    }
    text = as_json(provenance)
    # The provenance holds every file's digest: its own digest is the whole rendering's.
    return Rendering({**template.files, **own, PROVENANCE_FILE: text}, digest_of(text), template.version)


def as_json(value: Any) -> str:
    """One layout for every JSON file: sorted and indented, so that a review's difference is small."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def check_folder(files: Mapping[str, str], digest: str = "") -> list[HandEdit]:
    """What was edited, removed or added by hand since the rendering.

    `files` holds the folder's text files by relative path; what Terraform does not read, and the runner's
    override, is passed over. With the recorded `digest` an edited provenance is found as well.
    """
    text = files.get(PROVENANCE_FILE)
    if text is None:
        ours = any(_matters(path) for path in files)  # nothing was rendered here yet, or it was taken away
        return [HandEdit(PROVENANCE_FILE, "missing")] if ours else []
    digests = _digests(text)
    if digests is None or (digest and digest_of(text) != digest):
        return [HandEdit(PROVENANCE_FILE, "changed")]
    edits = [HandEdit(path, "missing") for path in digests if path not in files]
    edits += [
        HandEdit(path, "changed")
        for path, recorded in digests.items()
        if path in files and digest_of(files[path]) != recorded
    ]
    edits += [HandEdit(path, "added") for path in files if path not in digests and _matters(path)]
    return sorted(edits, key=lambda edit: edit.path)


def _digests(provenance: str) -> dict[str, str] | None:
    try:
        files = json.loads(provenance)["files"]
    except (ValueError, KeyError, TypeError):
        return None
    return files if isinstance(files, dict) else None


def _matters(path: str) -> bool:
    if path == OVERRIDE_FILE or any(part.startswith(".") for part in path.split("/")[:-1]):
        return False
    return path.endswith(_READ_BY_TERRAFORM) or path.endswith(LOCK_FILE)
