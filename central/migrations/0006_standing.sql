-- Whether an office's node said that it has no authority because it was put back in time.
ALTER TABLE office_link ADD COLUMN rolled_back boolean NOT NULL DEFAULT false;
