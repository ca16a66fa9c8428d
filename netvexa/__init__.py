"""NETVEXA: AI customer-support agents that answer from your knowledge only."""
