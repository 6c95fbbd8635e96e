"""What each command of ``workspace-bridge`` does; ``bridge.cli`` is how they are called."""
