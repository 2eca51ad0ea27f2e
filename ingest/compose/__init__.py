"""From settings to running roles: the only package that knows every part.

edge, aggregate, query    what one process of each role runs
child                     the life of such a process beside its supervisor
supervise                 keeps processes running
service                   `firsthop serve`: database, first app, processes, in order
demo                      what `firsthop demo` adds
home                      the data directory: lock, secrets, ready.json
listen, connect           ports and database connections, with messages that help
doctor                    what is wrong with this machine
"""
