"""Prices and cost facts as data; `controlplane.catalog.pricebook` and `.model` read them."""

from pathlib import Path

FOLDER = Path(__file__).parent
