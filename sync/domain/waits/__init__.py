"""The expected wait of everybody in the queue, by replaying the dispatcher forward on random paths."""
