"""Health checks, metrics, logs, heartbeats and the doctor."""
