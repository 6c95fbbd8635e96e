"""What is on the wire: envelope, addresses, the catalogue, refusals. No I/O; imports nothing else of the project."""
