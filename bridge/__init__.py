"""workspace-bridge: a message bus for the contact-center agent's desktop."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("workspace-bridge")
except PackageNotFoundError:  # running from a checkout that is not installed
    __version__ = "0+unknown"
