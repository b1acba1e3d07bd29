"""Costs for people and machines: charts as SVG, rows as CSV, JSON and FOCUS."""
