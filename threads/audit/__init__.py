"""The trail: who saw, exported or erased what. Rows are added, never changed, and taken away only into a file."""
