"""What a label may be, so that it can be an AWS tag."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from controlplane.domain.errors import FieldError, Invalid

PREFIX = "label:"  # keeps labels apart from the tags that say whose a resource is
MOST_LABELS = 30  # AWS takes 50 tags on a resource, and ours come first
LABEL_RULE = "letters, numbers, spaces and _.:/=+-@; a key of 1 to 100 characters, a value of 1 to 256"
_CHARACTERS = re.compile(r"[\w .:/=+\-@]+")  # \w also knows letters and digits beyond ASCII


def label_tags(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels as tags; raises for what AWS would refuse in the middle of an apply."""
    if len(labels) > MOST_LABELS:
        raise Invalid(f"{len(labels)} labels are too many: at most {MOST_LABELS}")
    tags = {}
    for key, value in labels.items():
        if not (_fits(key, 100) and _fits(value, 256)):
            field = f"labels[{key!r}]"
            raise Invalid(
                f"{field} cannot be a tag in AWS: {LABEL_RULE}", errors=[FieldError(field, LABEL_RULE)]
            )
        tags[PREFIX + unicodedata.normalize("NFC", key)] = unicodedata.normalize("NFC", value)
    return tags


def _fits(text: str, most: int) -> bool:
    composed = unicodedata.normalize("NFC", text)
    return len(composed) <= most and bool(_CHARACTERS.fullmatch(composed)) and composed == composed.strip()
