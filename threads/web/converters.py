"""URL path converters."""


class OpaqueIdConverter:
    """Any text that is not empty, line breaks and slashes included."""

    regex = "(?s:.+)"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
