"""The impure part of the contract: clocks, ids, MQTT, HTTP, SQL files. Import the modules one by one."""
