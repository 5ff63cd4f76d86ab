"""What people use: the command line and the local API, each talking to the supervisor over a unix socket."""
