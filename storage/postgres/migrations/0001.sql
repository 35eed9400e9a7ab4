-- What is remembered. Key columns are what is searched and what must be unique; the
-- record itself is canonical JSON as text, exactly as it was written. Text that gives an
-- order is compared by code points (collation "C"). A unique column that is null for
-- what has ended takes the place of a partial index: docs/postgresql.md says why.

CREATE TABLE credential (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    card text COLLATE "C" NOT NULL,
    card_in_use text COLLATE "C",
    holder_fold text COLLATE "C" NOT NULL,
    account_fold text COLLATE "C" NOT NULL,
    card_fold text COLLATE "C" NOT NULL,
    account_guid text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    sync text COLLATE "C" NOT NULL,
    template text COLLATE "C" NOT NULL,
    key_digest bytea,
    expires_in_use double precision,
    document text NOT NULL,
    CONSTRAINT credential_card_in_use UNIQUE (card_in_use)
);
CREATE INDEX credential_by_holder ON credential (holder_fold, id);
CREATE INDEX credential_by_account ON credential (account_fold, id);
CREATE INDEX credential_by_card ON credential (card_fold, id);
CREATE INDEX credential_by_guid ON credential (account_guid, holder_fold, id);
CREATE INDEX credential_by_state ON credential (state, holder_fold, id);
CREATE INDEX credential_by_sync ON credential (sync, holder_fold, id);
CREATE INDEX credential_by_template ON credential (template, holder_fold, id);
CREATE INDEX credential_by_key ON credential (key_digest, holder_fold, id);
CREATE INDEX credential_by_expiry ON credential (expires_in_use, id);

-- Certificates never change with a PIN: kept apart, a save does not write them again.
CREATE TABLE certificate (
    credential text COLLATE "C" PRIMARY KEY,
    authentication bytea NOT NULL,
    card_authentication bytea NOT NULL
);

CREATE TABLE template (
    name text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    document text NOT NULL,
    PRIMARY KEY (name, version)
);

CREATE TABLE operation (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    credential text COLLATE "C" NOT NULL,
    live_of text COLLATE "C",
    event text COLLATE "C" NOT NULL,
    started_at double precision NOT NULL,
    document text NOT NULL,
    CONSTRAINT operation_live UNIQUE (live_of)
);
CREATE INDEX operation_by_credential ON operation (credential, started_at, id);
CREATE INDEX operation_by_event ON operation (event, started_at, id);

CREATE TABLE nonce (
    value bytea PRIMARY KEY,
    purpose text COLLATE "C" NOT NULL,
    bound_to text COLLATE "C" NOT NULL,
    station text COLLATE "C" NOT NULL,
    expires_at double precision NOT NULL
);
CREATE INDEX nonce_by_expiry ON nonce (expires_at);

CREATE TABLE approval (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    credential text COLLATE "C" NOT NULL,
    issued_at double precision NOT NULL,
    open_until double precision,
    document text NOT NULL
);
CREATE INDEX approval_by_credential ON approval (credential, issued_at, id);
CREATE INDEX approval_by_end ON approval (open_until, id);

CREATE TABLE answer (
    station text COLLATE "C" NOT NULL,
    call text COLLATE "C" NOT NULL,
    given_at double precision NOT NULL,
    document text NOT NULL,
    PRIMARY KEY (station, call)
);
CREATE INDEX answer_by_time ON answer (given_at);

-- Evidence: a lane is a chain; its head is locked last in a transaction, and shortly.
CREATE TABLE evidence (
    lane text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    at double precision NOT NULL,
    kind text COLLATE "C" NOT NULL,
    credential text COLLATE "C" NOT NULL,
    operation text COLLATE "C" NOT NULL,
    document text NOT NULL,
    PRIMARY KEY (lane, seq)
);
CREATE INDEX evidence_by_credential ON evidence (credential, at, lane, seq);
CREATE INDEX evidence_by_operation ON evidence (operation, at, lane, seq);
CREATE INDEX evidence_by_kind ON evidence (kind, at, lane, seq);
CREATE INDEX evidence_by_time ON evidence (at, lane, seq);

CREATE TABLE evidence_head (
    lane text COLLATE "C" PRIMARY KEY,
    seq bigint NOT NULL,
    hash text COLLATE "C" NOT NULL
);
