"""Pages that combine apps, or belong to none."""
