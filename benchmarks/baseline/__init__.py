"""What the page would be without care for speed: the official SDK, plain Django templates, Django's default session.

The same rows in the same columns, behind the same sign-in and the same server.
"""
