-- What PostgreSQL can do better than its relatives. Each statement may fail; nothing
-- depends on it but speed.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX IF NOT EXISTS credential_by_part ON credential USING gin (sought gin_trgm_ops);
ALTER TABLE credential SET (fillfactor = 85);
ALTER TABLE operation SET (fillfactor = 70);
ALTER TABLE approval SET (fillfactor = 85);
