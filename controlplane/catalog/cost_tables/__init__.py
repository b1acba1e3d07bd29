"""The reference tables, computed again: stated | computed | difference, and why the two differ."""

from controlplane.catalog.cost_tables.tables import TableResult, TableRow, table, tables

__all__ = ["TableResult", "TableRow", "table", "tables"]
