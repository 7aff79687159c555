-- By which number its office holds a ticket, when a slip won against a later number: the office gives it up under this one.
ALTER TABLE ticket_token ADD COLUMN held_as integer CHECK (held_as >= 1);

-- By kind, a hash over the versions of all rows that an office works with; of an older build it is empty.
ALTER TABLE office_configuration ADD COLUMN states bytea NOT NULL DEFAULT '{}';
