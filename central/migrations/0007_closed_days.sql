-- The days whose end an office has reported: what it told up to then is all here. One row per office and day, kept.
CREATE TABLE closed_day (
    office text NOT NULL,
    service_date date NOT NULL,
    PRIMARY KEY (office, service_date)
);

-- What has no end yet, or one that a later report may tell better.
CREATE INDEX appointment_unsettled ON appointment (office_id, service_date) WHERE status IN ('booked', 'unknown');
