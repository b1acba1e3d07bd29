"""Budgets: what people set, and what a platform is rendered with."""
