"""Three small synthetic portals on loopback, to try portalkeep without the network."""
