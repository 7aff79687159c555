-- A session ends when its person's password changes: SHA-256 of the verifier that opened it. None: of an earlier version.
ALTER TABLE staff_session ADD COLUMN verifier_hash BLOB CHECK (length(verifier_hash) = 32);
