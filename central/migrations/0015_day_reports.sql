-- phase: expand
-- What past days say of their queue, for managers: where staff changed the order by hand, and how announced waits ended. Made
-- from the raw log, stretch by stretch (a day that went on in another life of the node has several), and made anew when a
-- stretch has grown or the rules that count have changed. Days older than the reports reach back are deleted here.
CREATE TABLE day_report (
    office text NOT NULL,
    epoch integer NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL, -- of the facts that were counted
    service_date date NOT NULL,
    rules integer NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (office, epoch, first_seq)
);

CREATE INDEX day_report_by_day ON day_report (service_date);

CREATE TABLE day_override (
    office text NOT NULL,
    service_date date NOT NULL,
    epoch integer NOT NULL,
    first_seq bigint NOT NULL,
    seq bigint NOT NULL,
    kind text NOT NULL,
    reason text NOT NULL,
    is_undone boolean NOT NULL,
    body bytea NOT NULL, -- JSON: sync.domain.overrides.Override
    PRIMARY KEY (office, service_date, epoch, seq)
);

CREATE INDEX day_override_by_day ON day_override (service_date);

CREATE TABLE day_held (
    office text NOT NULL,
    service_date date NOT NULL,
    epoch integer NOT NULL,
    first_seq bigint NOT NULL,
    service text NOT NULL,
    announced integer NOT NULL,
    before integer NOT NULL,
    inside integer NOT NULL,
    after integer NOT NULL,
    far_after integer NOT NULL,
    PRIMARY KEY (office, service_date, epoch, first_seq, service)
);

CREATE INDEX day_held_by_day ON day_held (service_date);
