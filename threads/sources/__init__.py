"""Sources of threads: queries, pages, the interface of a source, and the live API as one."""
