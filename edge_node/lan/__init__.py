"""The office LAN: kiosks and displays over MQTT."""
