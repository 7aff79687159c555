-- The city's catalogue: what central decides and the offices are told. Loaded from a TOML (`python -m central load-city`).

CREATE TABLE office (
    id text PRIMARY KEY,
    position int NOT NULL,
    name text NOT NULL,
    address text NOT NULL,
    phone text NOT NULL DEFAULT '',
    directions jsonb NOT NULL DEFAULT '{}', -- how to get there, by language
    latitude numeric(8, 5),
    longitude numeric(8, 5),
    time_zone text NOT NULL,
    zones text[] NOT NULL,
    spare_series text NOT NULL,
    second_language text NOT NULL,
    policy jsonb NOT NULL,
    policy_from date NOT NULL
);

CREATE TABLE service (
    id text PRIMARY KEY,
    position int NOT NULL,
    family text NOT NULL, -- one booked appointment per person and family
    names jsonb NOT NULL,
    summaries jsonb NOT NULL DEFAULT '{}',
    documents jsonb NOT NULL DEFAULT '[]',
    online_url text NOT NULL DEFAULT '',
    series text NOT NULL,
    duration_min int NOT NULL CHECK (duration_min BETWEEN 1 AND 480),
    walk_in boolean NOT NULL,
    bookable boolean NOT NULL,
    sensitive boolean NOT NULL,
    pictogram text NOT NULL
);

CREATE TABLE office_service (
    office_id text NOT NULL REFERENCES office ON DELETE CASCADE,
    service_id text NOT NULL REFERENCES service ON DELETE CASCADE,
    position int NOT NULL,
    PRIMARY KEY (office_id, service_id)
);

CREATE TABLE opening_hours (
    office_id text NOT NULL REFERENCES office ON DELETE CASCADE,
    weekday int NOT NULL CHECK (weekday BETWEEN 0 AND 6), -- 0 = Monday
    opens time NOT NULL,
    closes time NOT NULL CHECK (closes > opens),
    PRIMARY KEY (office_id, weekday, opens)
);

-- Replaces the weekly hours of one service day. Open without times = round the clock.
CREATE TABLE dated_hours (
    office_id text NOT NULL REFERENCES office ON DELETE CASCADE,
    service_date date NOT NULL,
    open boolean NOT NULL,
    opens time,
    closes time,
    note text NOT NULL DEFAULT '',
    source text NOT NULL DEFAULT 'staff', -- 'city': from the loaded file, replaced by the next load
    PRIMARY KEY (office_id, service_date),
    CHECK ((opens IS NULL) = (closes IS NULL)),
    CHECK (closes > opens),
    CHECK (open OR opens IS NULL)
);

CREATE TABLE holiday (
    day date PRIMARY KEY,
    names jsonb NOT NULL,
    confirmed boolean NOT NULL -- false: the date is only estimated; offices stay open until somebody confirms it
);

CREATE TABLE counter (
    office_id text NOT NULL REFERENCES office ON DELETE CASCADE,
    id text NOT NULL,
    position int NOT NULL,
    zone text NOT NULL,
    primary_services text[] NOT NULL,
    secondary_services text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (office_id, id)
);

CREATE TABLE staff (
    office_id text NOT NULL REFERENCES office ON DELETE CASCADE,
    id text NOT NULL,
    display_name text NOT NULL,
    roles text[] NOT NULL CHECK (roles <@ ARRAY['clerk', 'supervisor', 'manager']),
    verifier text NOT NULL, -- argon2id, PHC form
    valid_until timestamptz NOT NULL,
    demo boolean NOT NULL DEFAULT false, -- its password stands in a file of the project
    PRIMARY KEY (office_id, id)
);

-- Capacity of an office for some services: start times every slot_min minutes, `seats` parallel places in each.
CREATE TABLE pool (
    office_id text NOT NULL REFERENCES office ON DELETE CASCADE,
    id text NOT NULL,
    services text[] NOT NULL,
    slot_min int NOT NULL CHECK (slot_min BETWEEN 5 AND 120),
    seats int NOT NULL CHECK (seats BETWEEN 0 AND 10000),
    PRIMARY KEY (office_id, id)
);

-- Another number of seats in a part of the week.
CREATE TABLE pool_band (
    office_id text NOT NULL,
    pool_id text NOT NULL,
    weekday int NOT NULL CHECK (weekday BETWEEN 0 AND 6),
    starts time NOT NULL,
    ends time NOT NULL CHECK (ends > starts),
    seats int NOT NULL CHECK (seats BETWEEN 0 AND 10000),
    PRIMARY KEY (office_id, pool_id, weekday, starts),
    FOREIGN KEY (office_id, pool_id) REFERENCES pool ON DELETE CASCADE
);
