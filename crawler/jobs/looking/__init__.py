"""Looking at pages and captures: nothing is archived, nothing is changed."""
