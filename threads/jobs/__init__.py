"""Background work: the queue, the schedule, jobs, their leases, and how a worker stops."""
