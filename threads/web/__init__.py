"""Web pages: views, presenters, and the helpers that read a request or make a response."""
