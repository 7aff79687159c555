"""What is sent to citizens: the outbox, its delivery, the texts."""
