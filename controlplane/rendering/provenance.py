"""Where a rendering comes from, kept in its folder: by it a hand-edited file is found before a plan."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any

from controlplane.domain.workspace import Rendering, Template
from controlplane.rendering.structure import LOCK_FILE, OVERRIDE_FILE, digest_of

PROVENANCE_FILE = "controlplane.json"
# The provenance of files that are being written: it takes the other's place once all of them stand.
PENDING_FILE = ".controlplane.coming.json"
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
    return _laid_out(value, "\n") + "\n"


def _laid_out(value: Any, line: str) -> str:
    """As `json.dumps` indents, which takes nearly twice as long: it does so in Python, for any kind of value.
    `line`: a line's end and the next one's indentation."""
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    if kind is int:
        return str(value)
    inner = line + "  "
    if value and isinstance(value, dict):
        held = [f"{inner}{encode_basestring(key)}: {_laid_out(value[key], inner)}" for key in sorted(value)]
        return "{" + ",".join(held) + line + "}"
    if value and isinstance(value, list | tuple):
        return "[" + ",".join([inner + _laid_out(each, inner) for each in value]) + line + "]"
    return json.dumps(value, ensure_ascii=False)


def record_of(files: Mapping[str, str]) -> str:
    """A provenance of what stands: what one was kept of, or Terraform would read."""
    kept = [_digests(files.get(name, "")) or {} for name in (PROVENANCE_FILE, PENDING_FILE)]
    standing = _concerned(files, kept).intersection(files)
    return as_json({"files": {path: digest_of(files[path]) for path in standing}})


def check_folder(files: Mapping[str, str]) -> list[HandEdit]:
    """What was edited, removed or added by hand since the rendering.

    `files` holds the folder's text files by relative path; what Terraform does not read, and the runner's
    override, is passed over. Where a write was cut off, each file may be as it was or as it was to be.
    """
    text, coming = files.get(PROVENANCE_FILE), _digests(files.get(PENDING_FILE, ""))
    if text is None and coming is None:
        ours = any(_matters(path) for path in files)  # nothing was rendered here yet, or it was taken away
        return [HandEdit(PROVENANCE_FILE, "missing")] if ours else []
    standing = {} if text is None else _digests(text)
    if standing is None:
        return [HandEdit(PROVENANCE_FILE, "changed")]
    renderings = [standing] if coming is None else [standing, coming]
    return _edits(files, renderings)


def is_as_rendered(files: Mapping[str, str]) -> bool:
    """All of one rendering: nobody edited it, and no write of it was cut off."""
    return PROVENANCE_FILE in files and PENDING_FILE not in files and not check_folder(files)


def _edits(files: Mapping[str, str], renderings: Sequence[Mapping[str, str]]) -> list[HandEdit]:
    edits = []
    for path in sorted(_concerned(files, renderings)):
        digest = digest_of(files[path]) if path in files else None
        if all(rendering.get(path) != digest for rendering in renderings):
            is_ours = any(path in rendering for rendering in renderings)
            edits.append(HandEdit(path, "missing" if digest is None else "changed" if is_ours else "added"))
    return edits


def _concerned(files: Mapping[str, str], renderings: Sequence[Mapping[str, str]]) -> set[str]:
    return {path for path in files if _matters(path)}.union(*renderings)


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
