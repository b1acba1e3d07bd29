"""What a picture of a database is made of, as catalogue queries; each row is one line of it."""

# ruff: noqa: S608 - every part that is put together here is a constant of this file

from __future__ import annotations

# Schemas that are the tenant's; ours (`controlplane`) differs between two sides on purpose.
_USER = "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'controlplane')"


def _not_extension(catalogue: str, alias: str) -> str:
    return (
        f"NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '{catalogue}'::regclass"
        f" AND d.objid = {alias}.oid AND d.deptype = 'e')"
    )


_OWN_CLASS = _not_extension("pg_class", "c")
_OWN_TYPE = _not_extension("pg_type", "t")
_OWN_FUNCTION = _not_extension("pg_proc", "p")


def _grants(acl: str, owner: str) -> str:
    """Privileges as sorted text, without the owner's own (implied or written out, it is the same) and
    without MAINTAIN, which only new majors know."""
    return f"""coalesce((SELECT string_agg(g, ',' ORDER BY g) FROM (
    SELECT concat(coalesce(r.rolname, 'public'), '=', a.privilege_type, a.is_grantable) g
    FROM aclexplode({acl}) a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE a.grantee <> {owner} AND a.privilege_type <> 'MAINTAIN'
      AND coalesce(r.rolname, '') <> 'cp_control') s), '')"""


TABLES = f"""
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND {_USER} AND {_OWN_CLASS} ORDER BY 1, 2
"""
# By age: one may read from another.
MATERIALIZED_VIEWS = f"""
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'm' AND {_USER} AND {_OWN_CLASS} ORDER BY c.oid
"""
SEQUENCES = f"""
SELECT n.nspname, c.relname, s.seqincrement
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence s ON s.seqrelid = c.oid
WHERE {_USER} AND {_OWN_CLASS} ORDER BY 1, 2
"""
# Which column each one numbers, of those that belong to one.
OWNED_SEQUENCES = f"""
SELECT n.nspname, c.relname, t.relname, a.attname, s.seqincrement
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence s ON s.seqrelid = c.oid
JOIN pg_depend o ON o.classid = 'pg_class'::regclass AND o.objid = c.oid
  AND o.refclassid = 'pg_class'::regclass AND o.deptype IN ('a', 'i')
JOIN pg_class t ON t.oid = o.refobjid AND t.relnamespace = n.oid
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = o.refobjsubid
WHERE {_USER} AND {_OWN_CLASS} ORDER BY 1, 2
"""
INVALID = f"""
SELECT c.oid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT i.indisvalid AND {_USER}
"""
_SCHEMAS = f"""
SELECT 'schema', n.nspname, pg_get_userbyid(n.nspowner), {_grants("n.nspacl", "n.nspowner")}
FROM pg_namespace n WHERE {_USER} AND n.nspname <> 'public'
"""
_RELATIONS = f"""
SELECT 'relation', c.oid::regclass, c.relkind, c.relpersistence, pg_get_userbyid(c.relowner),
       c.relrowsecurity, c.relforcerowsecurity, c.relreplident, pg_get_partkeydef(c.oid),
       pg_get_expr(c.relpartbound, c.oid), {_grants("c.relacl", "c.relowner")}
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND {_USER} AND {_OWN_CLASS}
"""
_COLUMNS = f"""
SELECT 'column', c.oid::regclass || '.' || a.attname,
       row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), format_type(a.atttypid, a.atttypmod),
       a.attnotnull, a.attidentity, a.attgenerated, co.collname, pg_get_expr(e.adbin, e.adrelid)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef e ON e.adrelid = c.oid AND e.adnum = a.attnum
LEFT JOIN pg_collation co ON co.oid = a.attcollation
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
  AND {_USER} AND {_OWN_CLASS}
"""
_SEQUENCE_RULES = f"""
SELECT 'sequence', c.oid::regclass, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin,
       s.seqmax, s.seqcycle
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {_USER} AND {_OWN_CLASS}
"""
_TYPES = f"""
SELECT 'type', t.oid::regtype, t.typtype, pg_get_userbyid(t.typowner),
       format_type(t.typbasetype, t.typtypmod),
       (SELECT string_agg(v.enumlabel, ',' ORDER BY v.enumsortorder) FROM pg_enum v
        WHERE v.enumtypid = t.oid),
       (SELECT format_type(g.rngsubtype, NULL) FROM pg_range g WHERE g.rngtypid = t.oid), t.typdefault
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype IN ('e', 'd', 'r') AND {_USER} AND {_OWN_TYPE}
"""
_FUNCTIONS = f"""
SELECT 'function', p.oid::regprocedure, p.prokind, pg_get_userbyid(p.proowner), p.provolatile, p.prosecdef,
       p.proisstrict, p.proparallel, pg_get_function_result(p.oid), l.lanname, p.proconfig, md5(p.prosrc),
       CASE WHEN p.prokind <> 'a' THEN md5(pg_get_functiondef(p.oid)) END,
       {_grants("p.proacl", "p.proowner")}
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE {_USER} AND {_OWN_FUNCTION}
"""
_TRIGGERS = f"""
SELECT 'trigger', c.oid::regclass, t.tgname, t.tgenabled, pg_get_triggerdef(t.oid)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND {_USER}
"""
_POLICIES = """
SELECT 'policy', schemaname, tablename, policyname, permissive, roles, cmd, qual, with_check FROM pg_policies
"""
_EVENT_TRIGGERS = """
SELECT 'event trigger', e.evtname, e.evtevent, e.evtenabled, e.evtfoid::regproc FROM pg_event_trigger e
WHERE pg_get_userbyid(e.evtowner) !~ '^rds'
"""
SCHEMA = (
    _SCHEMAS,
    _RELATIONS,
    _COLUMNS,
    _SEQUENCE_RULES,
    _TYPES,
    _FUNCTIONS,
    _TRIGGERS,
    _POLICIES,
    _EVENT_TRIGGERS,
)
VIEWS = f"""
SELECT 'view', c.oid::regclass, md5(pg_get_viewdef(c.oid))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND {_USER} AND {_OWN_CLASS}
"""
# Not-null constraints are rows of their own only in new majors; the columns' lines carry them.
_CONSTRAINTS = f"""
SELECT 'constraint', o.conrelid::regclass, o.conname, o.convalidated, pg_get_constraintdef(o.oid)
FROM pg_constraint o JOIN pg_namespace n ON n.oid = o.connamespace
WHERE o.contype <> 'n' AND {_USER} AND {_not_extension("pg_constraint", "o")}
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = o.conrelid AND d.deptype = 'e')
"""
_INDEXES = f"""
SELECT 'index', i.indexrelid::regclass, i.indisvalid, i.indisreplident, pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {_USER} AND {_OWN_CLASS} AND c.relkind IN ('r', 'p', 'm')
"""
_EXTENSIONS = "SELECT 'extension', extname FROM pg_extension"  # versions follow the server's
RULES = (_CONSTRAINTS, _INDEXES, _EXTENSIONS)
# Whether a role may log in is left out: one of the sides may be fenced. RDS's own and ours have powers that
# differ between majors.
ROLES = """
SELECT 'role', r.rolname, r.rolinherit, r.rolcreatedb, r.rolconnlimit, r.rolbypassrls,
       (SELECT string_agg(g.rolname, ',' ORDER BY g.rolname) FROM pg_auth_members m
        JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid)
FROM pg_roles r
WHERE r.rolname !~ '^(rds|pg_)' AND r.rolname NOT IN ('cp_control', 'cp_replication')
  AND NOT r.rolsuper AND NOT r.rolcreaterole
"""
SETTINGS = """
SELECT 'encoding', pg_encoding_to_char(d.encoding), d.datcollate, d.datctype
FROM pg_database d WHERE d.datname = current_database()
UNION ALL
SELECT 'setting', coalesce(r.rolname, 'everybody'), s.setconfig::text, ''
FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole
WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
  AND coalesce(r.rolname, '') !~ '^rds'
UNION ALL
SELECT 'server', name, setting, '' FROM pg_settings
WHERE name IN ('TimeZone', 'DateStyle', 'IntervalStyle', 'standard_conforming_strings',
               'default_text_search_config', 'bytea_output', 'integer_datetimes', 'max_identifier_length')
"""

# --- what logical replication needs of tables ---

_OWN_TABLES = f"""
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND {_USER} AND {_OWN_CLASS}
"""
WITHOUT_IDENTITY = f"""
SELECT c.oid::regclass {_OWN_TABLES} AND c.relreplident <> 'f'
  AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid
    AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END)
ORDER BY 1
"""
FOREIGN_TABLES = f"""
SELECT c.oid::regclass {_OWN_TABLES} AND NOT pg_has_role(current_user, c.relowner, 'USAGE') ORDER BY 1
"""
UNLOGGED_TABLES = f"SELECT c.oid::regclass {_OWN_TABLES} AND c.relpersistence = 'u' ORDER BY 1"
