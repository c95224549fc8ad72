"""Monitoring: health checks, metrics, logs, heartbeat, and the doctor."""
