"""The built-in telephone switch: a pure model of Cisco Finesse's dialogs, and its adapter."""
