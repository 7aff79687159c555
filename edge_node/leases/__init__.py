"""Appointments that are sold here out of lent seats, while central cannot be asked."""
