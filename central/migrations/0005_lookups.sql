-- Tries to find an appointment by locator and document, to slow down guessing: one row per locator, so that tries at the same
-- moment wait for each other and none of them is left out of the count. `refused`: the last one was one too many. What was
-- noted before is for minutes only and is not taken over.
DROP TABLE lookup_try;

CREATE TABLE lookup_try (
    locator text PRIMARY KEY,
    tried_at timestamptz[] NOT NULL,
    refused boolean NOT NULL DEFAULT false
);
