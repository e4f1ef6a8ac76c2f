"""Questions asked of the service and the processes that answer them."""
