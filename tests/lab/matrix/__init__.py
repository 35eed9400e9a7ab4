"""Every screen and every key: what is typed is what counts, judged from outside."""
