-- A fleet: its stations by their keys, the tokens by which they enrol, and the keys to
-- which they seal what people type (their private parts are envelopes of the vault).

CREATE TABLE station (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    document text NOT NULL
);

CREATE TABLE enrollment_token (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    open_until double precision,
    document text NOT NULL
);

CREATE TABLE sealing_key (
    id text COLLATE "C" PRIMARY KEY,
    made_at double precision NOT NULL,
    document text NOT NULL
);
CREATE INDEX sealing_key_by_time ON sealing_key (made_at, id);
