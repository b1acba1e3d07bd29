"""The outbox and its receivers."""
