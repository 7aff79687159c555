-- name: insert_person
INSERT INTO lease_person (appointment_id, full_name, document_kind, document, email, phone, language, needs)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: pending_people
-- whole table: at boot and while central takes them, the people of a cut
SELECT appointment_id, full_name, document_kind, document, email, phone, language, needs
FROM lease_person ORDER BY appointment_id;

-- name: forget_person
DELETE FROM lease_person WHERE appointment_id = :appointment_id;
