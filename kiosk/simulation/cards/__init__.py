"""Cards made of software: for the demo, the rehearsals and the tests."""
