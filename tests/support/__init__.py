"""What the tests of several rooms share: stand-ins, servers, files written by hand."""
