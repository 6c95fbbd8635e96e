"""Load for the bridge: its cost beside a plain `websockets` server, and whether it keeps its promises for hours."""
