"""Telling people and machines outside."""

from controlplane.adapters.notify.courier import Couriers

__all__ = ["Couriers"]
