"""The verbs of the command line that belong to the server's side: a module a verb, each thin."""
