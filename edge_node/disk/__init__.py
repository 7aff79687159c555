"""Room on the disk: watched, kept in reserve, made by forgetting what central has had for long."""
