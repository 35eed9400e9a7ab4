"""Real parts for tests: started here, reached over loopback, ended with the run."""
