"""Background work: the queue, a job's row, and the lease by which one worker holds it."""
