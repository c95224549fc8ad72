"""Two ways to reach the emulator: a requests adapter and a socket server."""
