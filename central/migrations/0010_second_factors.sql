-- What staff's one-time codes are verified with. Apart from staff: loading a city file replaces those rows, never this.
CREATE TABLE second_factor (
    office_id text NOT NULL REFERENCES office ON DELETE CASCADE,
    staff_id text NOT NULL,
    secret bytea NOT NULL CHECK (length(secret) >= 20),
    recovery bytea[] NOT NULL, -- SHA-256 of each recovery code
    enrolled_at timestamptz NOT NULL,
    enrolled_by text NOT NULL,
    PRIMARY KEY (office_id, staff_id)
);
