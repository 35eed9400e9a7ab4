-- What is kept beside a record and may be lost or replaced at any time: what a station
-- said last, the request of a card that waits for its certificate. A program that does
-- not know the table misses nothing that it knows.

CREATE TABLE slip (
    kind text COLLATE "C" NOT NULL,
    of_id text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    document text NOT NULL,
    PRIMARY KEY (kind, of_id, name)
) WITH (fillfactor = 70);
