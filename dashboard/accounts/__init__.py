"""Accounts: sign-in by password and single sign-on, sessions, rate limits, and Django's admin for accounts and
roles."""
