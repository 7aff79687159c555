"""Both ends of the sync protocol as sans-IO sessions over a narrow store. Imports no asyncio, socket or clock.

``hello`` introduces, ``uplink`` brings an office's facts to central, ``downlink`` brings central's rows to an office,
``snapshot`` starts an office afresh. A shell owns sockets, timers, ids and chance: it asks a session for the next request,
sends it, and hands back the reply, the refusal or the failure.
"""
