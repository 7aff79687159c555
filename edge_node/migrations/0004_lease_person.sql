-- Who an appointment is for that was sold here out of a lease: facts name nobody. A row goes when central has it.
CREATE TABLE lease_person (
    appointment_id TEXT NOT NULL PRIMARY KEY,
    full_name TEXT NOT NULL,
    document_kind TEXT NOT NULL,
    document TEXT NOT NULL,
    email TEXT,
    phone TEXT,
    language TEXT NOT NULL,
    needs TEXT NOT NULL
) STRICT, WITHOUT ROWID;
