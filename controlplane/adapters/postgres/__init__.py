"""Tenants' PostgreSQL through psycopg: probe, roles, fence, fingerprints, and the SQL of a migration."""

from controlplane.adapters.postgres.connection import Connector
from controlplane.adapters.postgres.migration import MigrationSql
from controlplane.adapters.postgres.schemas import SchemaSql
from controlplane.adapters.postgres.tenant import Postgres

__all__ = ["Connector", "MigrationSql", "Postgres", "SchemaSql"]
