"""Who gets what, in which order. No I/O, no tasks; time is injected; knows no sockets and no telephones."""
