-- phase: expand
-- Who is signed in at central. No reference to staff: loading a city file replaces those rows, and a request reads both anyway.
CREATE TABLE staff_session (
    token_hash bytea PRIMARY KEY, -- SHA-256 of the cookie
    office_id text NOT NULL,
    staff_id text NOT NULL,
    opened_with bytea NOT NULL, -- hash over the password's verifier and the second factor's secret at that time
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL, -- when its person did something, to the minute
    expires_at timestamptz NOT NULL,
    awaits_code boolean NOT NULL -- the password was right, a one-time code is still to come: nobody is signed in yet
);

CREATE INDEX staff_session_by_end ON staff_session (expires_at);

-- What was used up at central of somebody's one-time codes; an office keeps its own.
ALTER TABLE second_factor
    ADD COLUMN last_step bigint NOT NULL DEFAULT -1,
    ADD COLUMN recovery_used bytea[] NOT NULL DEFAULT '{}';

-- An admin manages all offices of the city, a manager their own.
ALTER TABLE staff
    DROP CONSTRAINT staff_roles_check,
    ADD CONSTRAINT staff_roles_check CHECK (roles <@ ARRAY['clerk', 'supervisor', 'manager', 'admin']);
