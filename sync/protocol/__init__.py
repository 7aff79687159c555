"""Both ends of the sync protocol as sans-IO sessions over a narrow store. Imports no asyncio, socket or clock."""
