"""The emulated API: authentication, parameters, paging, replies, errors and faults."""
