"""The baseline: the official SDK, plain Django templates, Django's default session.

It has the same rows and columns, behind a sign-in and gunicorn.
"""
