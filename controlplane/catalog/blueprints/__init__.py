"""Blueprints as TOML, one file each, and how they are read and checked."""
