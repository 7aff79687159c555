"""The queue policy of an office: set from a day, explained in words, tried on past days."""
