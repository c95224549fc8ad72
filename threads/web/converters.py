"""Ids in addresses."""


class OpaqueIdConverter:
    """Any text that is not empty, line breaks and slashes too."""

    regex = "(?s:.+)"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
