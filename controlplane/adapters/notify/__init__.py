"""Telling people and machines outside."""

from controlplane.adapters.notify.courier import Couriers
from controlplane.adapters.notify.log import LogNotifier

__all__ = ["Couriers", "LogNotifier"]
