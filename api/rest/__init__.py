"""Thin routes, one file per noun: parse, ask a service, answer."""
