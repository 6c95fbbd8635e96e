"""A small XMPP client (RFC 6120, RFC 7395): it receives agents' notifications, for hundreds of agents a process.

::

    connection = await connect(Endpoint("wss://finesse.example:8445/ws/"), username="1001001", domain="finesse.example",
                               secret=password, resource="bridge", tls=context)
    try:
        async for stanza in connection:
            for notice in read_notices(stanza):
                ...
    except XmppLost:
        ...                       # connect again, later
    finally:
        await connection.close()

It never reconnects and never tries a password twice: when to do so is for the session to say.
"""

from bridge.calls.finesse.xmpp.connection import XmppConnection, connect
from bridge.calls.finesse.xmpp.endpoint import Endpoint, Timing
from bridge.calls.finesse.xmpp.errors import XmppConflict, XmppError, XmppLost, XmppRefused, XmppUnreachable

__all__ = [
    "Endpoint",
    "Timing",
    "XmppConflict",
    "XmppConnection",
    "XmppError",
    "XmppLost",
    "XmppRefused",
    "XmppUnreachable",
    "connect",
]
