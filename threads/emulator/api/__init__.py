"""The emulated API: parameters, paging, replies, errors and faults."""
