"""Addresses of the pages about people and workspaces, one module for each kind of host."""
