"""Pages that belong to no app, or combine several."""
