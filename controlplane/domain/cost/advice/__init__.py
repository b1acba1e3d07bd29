"""Advice from bills and numbers: budgets, spikes, worries, support, network, commitments, ownership."""
