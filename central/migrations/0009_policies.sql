-- Policies that somebody set for an office, each in force from its day on. What a city file says is the office's first one.
CREATE TABLE office_policy (
    office_id text NOT NULL REFERENCES office ON DELETE CASCADE,
    effective_from date NOT NULL,
    version int NOT NULL CHECK (version >= 1),
    policy jsonb NOT NULL,
    set_at timestamptz NOT NULL,
    set_by text NOT NULL,
    PRIMARY KEY (office_id, effective_from)
);
