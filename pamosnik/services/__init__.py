"""What an operator or an event can make happen: one function per verb, shared by command line, page and daemon."""
