"""A shop's web page with a slow backend, to see client and server on one time line."""
