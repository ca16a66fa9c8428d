"""A stand-in for Stripe that speaks its HTTP API: version 2026-05-27.dahlia, over real sockets, in memory.

Shapes follow the types of Stripe's SDK and its documentation; they are no recordings, and the contract
suite (`tests/billing/test_stripe_contract.py`) runs against real Stripe when a test key is given. Amounts are
cents, times are Unix seconds. `python -m tests.stripe_fake` runs it for a browser.
"""
