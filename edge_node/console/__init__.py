"""What staff see and do: signing in, the state of the queue, live news."""
