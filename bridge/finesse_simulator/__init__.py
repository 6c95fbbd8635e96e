"""A Finesse look-alike: the simulated switch behind Finesse's REST face and a real XMPP server."""
