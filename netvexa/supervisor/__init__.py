"""`python -m netvexa.supervisor`: everything the product needs, under one process with one log."""
