-- Lanes are shared by stations, so whose an event is stands beside its lane. Until now
-- each station had a lane of its own.

ALTER TABLE evidence ADD COLUMN station text COLLATE "C";
UPDATE evidence SET station = lane;
CREATE INDEX evidence_by_station ON evidence (station, at, lane, seq);
