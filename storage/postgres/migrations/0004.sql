-- How often something has happened lately: visits of a card, of an account, at a station,
-- and wrong codes. Rows of a day.

CREATE TABLE frequency (
    id text COLLATE "C" PRIMARY KEY,
    count bigint NOT NULL,
    since double precision NOT NULL,
    at double precision NOT NULL
) WITH (fillfactor = 70);
