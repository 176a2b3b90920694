"""Items and listings from captures: pure, no clock, network or randomness."""
