"""What must not be stored or shown of a text: values that we know to be secret (`plan.masking` knows those
of a plan), and what has the form of a secret (known formats, then entropy).

Pure, and light to import: every run's supervisor uses it on every line.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from urllib.parse import quote

MASK = "(sensitive value)"

_SHORTEST_KNOWN = 4  # a shorter value stands in every second word
_SHORTEST_LINE = 16  # of a known value of many lines: its lines are looked for one by one
_SHORTEST_TOKEN = 20
_ENTROPY_BITS = 3.5

_QUOTE = r"(?:\\*[\"'])?"  # none, plain, or escaped as inside a JSON string
_NAMES = (
    r"pass(?:word|wd|phrase)?|pwd|secret(?:[_-]?(?:key|string|value))?|token|credentials?"
    r"|api[_-]?key|access[_-]?key|private[_-]?key|auth(?:orization)?"
)
# What Terraform says of a resource, which may well be named `password`: "….password: Still creating…".
_TELLS = (
    r"\s*(?:Creat|Still|Read|Refresh|Destr|Modif|Plan to|Import|Open|Clos|Provision|Drift|Remov)"
    r"[a-z]*(?:\.\.\.| )"
)
_FORMATS: tuple[tuple[re.Pattern[str], str], ...] = (
    # A private key; to the end of the text where its end is missing.
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S), MASK),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), MASK),  # JWT
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), MASK),
    (re.compile(r"\b(?:gh[pousr]_|glpat-|github_pat_|xox[abprs]-|sk-|sk_live_)[\w-]{16,}"), MASK),
    (re.compile(r"\b([a-z][a-z0-9+.-]*://[^\s:/@\"'\\]*):[^\s@\"']+@", re.I), rf"\1:{MASK}@"),
    (re.compile(r"\b(Bearer|Basic)\s+[\w+/=._~-]{8,}", re.I), rf"\1 {MASK}"),
    (
        re.compile(
            rf"((?:(?<!:)\b|_)(?:{_NAMES}){_QUOTE}\s*(?:=>|[=:])\s*)"  # name and sign; not in an ARN
            rf"(?!{_TELLS})"
            r"(?!\s*\(sensitive|\s*\(known after|null\b|true\b|false\b)"
            r"(\\*\"(?:[^\"\\]|\\[^\"]|\\\\\")*\\*\"|'[^']*'|[^\s,;&}\"']+)",
            re.I,
        ),
        rf"\1{MASK}",
    ),
)
_TOKEN = re.compile(rf"[A-Za-z0-9+/_-]{{{_SHORTEST_TOKEN},}}={{0,2}}")
_TOKEN_PART = re.compile(rf"[A-Za-z0-9+_]{{{_SHORTEST_TOKEN},}}={{0,2}}")
# AWS resource ids: upper-case and digits behind a short word, or hexadecimal.
_PUBLIC_ID = re.compile(r"[a-z]{1,12}-(?:[A-Z0-9]{20,}|[0-9a-f]{8,17})")
_WORD = re.compile(r"[A-Z]?[a-z]{3,}")


class Redactor:
    """Removes secrets from texts. `known` values are found in every spelling in which tools print them."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = known_pattern(known)
        self._inside_key = False

    def text(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(MASK, text)
        for pattern, replacement in _FORMATS:
            text = pattern.sub(replacement, text)
        return _TOKEN.sub(_mask_if_random, text)

    def line(self, text: str) -> str:
        """One line of a stream: a private key that spans lines is masked to its last one."""
        begins, ends = "-----BEGIN" in text and "PRIVATE KEY" in text, "-----END" in text
        inside = self._inside_key
        self._inside_key = (inside or begins) and not ends
        return MASK if inside else self.text(text)


def known_pattern(known: Iterable[str]) -> re.Pattern[str] | None:
    """Finds these values in every spelling in which tools print them; None where there is nothing to find."""
    spellings = {s for value in known for s in _spellings(value)}
    longest_first = sorted(spellings, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def _spellings(value: str) -> Iterator[str]:
    """The value as JSON, Go's JSON, HCL, URLs and base64 write it, and line by line."""
    lines = [line for line in value.splitlines() if len(line) >= _SHORTEST_LINE] if "\n" in value else []
    for text in (value, *lines):
        if len(text) < _SHORTEST_KNOWN:
            continue
        go = json.dumps(text, ensure_ascii=False)[1:-1]
        for character in "<>&":
            go = go.replace(character, f"\\u{ord(character):04x}")
        once = {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], go}
        once.add(go.replace("${", "$${").replace("%{", "%%{"))
        yield from once
        yield from (json.dumps(spelling)[1:-1] for spelling in once)  # JSON inside JSON
        yield from (quote(text), quote(text, safe=""))
        yield base64.b64encode(text.encode()).decode().rstrip("=")


def _mask_if_random(found: re.Match[str]) -> str:
    token = found.group()
    if _looks_random(token):
        return MASK
    # A path or a name of words may still hold one random part.
    return _TOKEN_PART.sub(lambda part: MASK if _looks_random(part.group()) else part.group(), token)


def _looks_random(token: str) -> bool:
    """Upper and lower case and digits, much entropy, and not made of words: identifiers stay readable."""
    kinds = (str.isupper, str.islower, str.isdigit)
    if not all(any(kind(c) for c in token) for kind in kinds) or _PUBLIC_ID.fullmatch(token):
        return False
    in_words = sum(map(len, _WORD.findall(token)))
    return in_words < 0.6 * len(token) and entropy(token) >= _ENTROPY_BITS


def entropy(text: str) -> float:
    """Shannon's, in bits a character."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
