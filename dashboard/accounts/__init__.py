"""Who is signed in where, and who comes by single sign-on."""
