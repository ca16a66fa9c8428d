"""Pages about people, workspaces and teams."""
