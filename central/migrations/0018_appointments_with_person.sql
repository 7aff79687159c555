-- phase: expand
-- outside a transaction
-- What still has a person: what retention and erasing read, and the proof that nothing older is left.
CREATE INDEX CONCURRENTLY IF NOT EXISTS appointment_with_person ON appointment (service_date)
    WHERE num_nonnulls(full_name, document_end, email, phone, person_hash) > 0;
