-- What PostgreSQL can do better than its relatives. Each statement may fail; nothing
-- depends on it but speed.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX IF NOT EXISTS credential_by_part ON credential USING gin (holder_fold gin_trgm_ops);
CREATE INDEX IF NOT EXISTS credential_by_account_part ON credential USING gin (account_fold gin_trgm_ops);
CREATE INDEX IF NOT EXISTS credential_by_card_part ON credential USING gin (card_fold gin_trgm_ops);
ALTER TABLE credential SET (fillfactor = 85);
ALTER TABLE operation SET (fillfactor = 70);
ALTER TABLE approval SET (fillfactor = 85);
-- How common a part of a name is decides how it is found: by the trigrams, or by going
-- through the list.
ALTER TABLE credential ALTER holder_fold SET STATISTICS 1000;
ALTER TABLE credential ALTER account_fold SET STATISTICS 1000;
ALTER TABLE credential ALTER card_fold SET STATISTICS 1000;
