"""The command line: `controlplane`, `python cli.py` and `python -m cli` are the same program."""

from controlplane.terminal.app import main as app

__all__ = ["app"]

if __name__ == "__main__":
    app()
