"""Small real implementations that the tests share: clocks, stores, services, the oracle."""
