"""Sockets and HTTP: the WebSocket endpoint, server-sent events, pages, and an orderly stop. A client of the broker."""
