"""Both ends of the protocol in virtual time, one seed = one run."""
