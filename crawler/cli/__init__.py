"""The command line: verbs over jobs; data on stdout, talk on stderr."""
