"""The production adapter: Cisco Finesse, its REST API for commands and its XMPP notification service for events."""
