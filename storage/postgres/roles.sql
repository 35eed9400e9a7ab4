-- The account that an authority signs in with may do what an authority does, and no
-- more: it cannot change or remove evidence, remove a record, or alter a table. Run by a
-- superuser (the settings below are not the tables' owner's to make), once, and again
-- after each upgrade; :"role" is the account, which the site creates with the way of
-- signing in that it prefers:
--     psql … -v role=pin_kiosk -f roles.sql
GRANT USAGE ON SCHEMA public TO :"role";
GRANT SELECT ON registry_schema TO :"role";
GRANT SELECT, INSERT, UPDATE ON credential, certificate, operation, approval, evidence_head, station, enrollment_token TO :"role";
GRANT SELECT, INSERT ON template, evidence TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON frequency, slip TO :"role";
GRANT SELECT, INSERT, DELETE ON nonce, answer, sealing_key TO :"role";
-- No statement_timeout: it would end a COMMIT that waits for a standby, which is then
-- reported as committed although one host alone has it.
ALTER ROLE :"role" SET lock_timeout = '3s';
ALTER ROLE :"role" SET idle_in_transaction_session_timeout = '10s';
