"""The committed text speaks of the project alone, and has no secret and no machine in it."""

from __future__ import annotations

import re

import pytest

from tests.architecture.checkout import named, text_files

# Backwards, so that this file does not find itself.
_BACKWARDS = {
    "a workplace": ("edualc", "ciporhtna", "tptahc", "ianepo", "tolipoc", "mll"),
    "an assistant": ("tnatsissa ia", "tnegabus", "tpmorp metsys", "ia yb detareneg"),
    "a list of things to do": ("ODOT", "EMXIF", "KCAH"),
    "a folder of one machine": ("derahs/..", "/krow/", "/sresU/", "-ft/tpo/"),
    "an issue's number": ("# eussi", "wohs seussi"),
}
_CASE_MATTERS = ("a list of things to do", "a folder of one machine")
_FOREIGN = ("requirements.lock", "requirements-terraform.lock", "LICENSE", "api/openapi.json")


@pytest.mark.parametrize("what", _BACKWARDS)
def test_no_text_has(what: str) -> None:
    words = "|".join(re.escape(word[::-1]) for word in _BACKWARDS[what])
    wanted = re.compile(
        rf"(?<![\w.-])(?:{words})(?!\w)" if words[0].isalpha() else rf"(?:{words})", _flags(what)
    )
    found = []
    for path in text_files():
        if named(path) not in _FOREIGN:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            found += [
                f"{named(path)}:{n}: {line.strip()[:90]}"
                for n, line in enumerate(lines, 1)
                if wanted.search(line)
            ]
    assert not found


def _flags(what: str) -> re.RegexFlag:
    return re.NOFLAG if what in _CASE_MATTERS else re.IGNORECASE
