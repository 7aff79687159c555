"""What is deleted when, and the proof of it: one list of rules for all that central keeps."""
